/** Pages about something that is not there (any more). */

export function NoDevice({ name }: { readonly name: string }) {
  return (
    <>
      <h1>{name}</h1>
      <p>
        There is no such device. <a href="/console/devices">All devices</a>
      </p>
    </>
  )
}

export function NoWorkload({ name }: { readonly name: string }) {
  return (
    <>
      <h1>{name}</h1>
      <p>
        There is no such workload. <a href="/console/workloads">All workloads</a>
      </p>
    </>
  )
}
