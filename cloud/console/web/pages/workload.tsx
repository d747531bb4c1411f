import { useRoute } from 'preact-iso'
import { EventList } from '../parts/event-list.tsx'
import { Nothing } from '../parts/nothing.tsx'
import { Word } from '../parts/mark.tsx'
import { PodTable } from '../parts/pod-table.tsx'
import { useWish } from '../use-wish.ts'
import { plural } from '../words.ts'

/** One workload: how it stands, its pods with the reason and one thing to do, its events. */
export function Workload() {
  const { kind = '', namespace = '', name = '' } = useRoute().params
  const key = `${kind}/${namespace}/${name}`
  return <WorkloadOf key={key} id={key} kind={kind} namespace={namespace} name={name} />
}

interface Names {
  readonly id: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

function WorkloadOf({ id, kind, namespace, name }: Names) {
  const part = useWish({ part: 'workload', key: id })
  if (part === undefined) return <p role="status">Loading…</p>
  const { row, pods, podCount, events } = part
  if (row === null && podCount === 0) return <Nothing name={name} what="workload" />
  return (
    <>
      <p class="crumb">
        <a href="/console/workloads">Workloads</a>
      </p>
      <div class="title">
        <h1>{name}</h1>
        <a class="button" href={`/console/audit?q=${encodeURIComponent(`about:${name}`)}`}>
          Audit
        </a>
        {pods.some(({ device }) => device !== null) ? (
          <a class="button" href={`/console/logs/${kind}/${namespace}/${name}`}>
            Logs
          </a>
        ) : null}
        {row === null ? null : (
          <a class="button" href={`/console/edit/${kind}/${namespace}/${name}`}>
            Edit
          </a>
        )}
      </div>
      <p class="standing">
        {row === null ? null : <Word tone={row.tone}>{row.says}</Word>}
        <span class="muted">
          {kind} in {namespace}
          {row === null ? '' : `, ${row.ready} of ${row.desired} ready`}
        </span>
        {row === null ? null : <code>{row.image}</code>}
      </p>
      <h2>Pods</h2>
      <PodTable rows={pods} />
      {podCount > pods.length ? (
        <p>
          <a href={`/console/pods?q=${encodeURIComponent(`workload:${namespace}/${name}`)}`}>All {plural(podCount, 'pod')}</a>
        </p>
      ) : null}
      <h2>Events</h2>
      <EventList rows={events} />
    </>
  )
}
