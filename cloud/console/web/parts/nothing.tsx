/** Pages about something that is not there (any more). */

interface Missing {
  readonly name: string
  /** `device`, and the page of all of them: `/console/devices` */
  readonly what: 'device' | 'workload' | 'rollout'
}

export function Nothing({ name, what }: Missing) {
  return (
    <>
      <h1>{name}</h1>
      <p>
        There is no such {what}. <a href={`/console/${what}s`}>All {what}s</a>
      </p>
    </>
  )
}
