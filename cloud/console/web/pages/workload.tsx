import { useRoute } from 'preact-iso'
import { EventList } from '../parts/event-list.tsx'
import { Word } from '../parts/mark.tsx'
import { PodTable } from '../parts/pod-table.tsx'
import { WhyNotPlaced } from '../parts/why-not-placed.tsx'
import { events, pods, workloads } from '../live-store.ts'

/** One workload: its pods, and for those without a device the reason of every device. */
export function Workload() {
  const { kind = '', namespace = '', name = '' } = useRoute().params
  const key = `${kind}/${namespace}/${name}`
  const row = workloads.get(key)
  const own = pods.all().filter((pod) => pod.workload === key)
  if (row === undefined && own.length === 0)
    return (
      <>
        <h1>{name}</h1>
        <p>
          There is no such workload. <a href="/console/workloads">All workloads</a>
        </p>
      </>
    )
  const homeless = own.filter((pod) => pod.word === 'not-placed')
  const about = new Set([`${kind} ${namespace}/${name}`, ...own.map((pod) => `Pod ${pod.key}`)])
  return (
    <>
      <p class="crumb">
        <a href="/console/workloads">Workloads</a>
      </p>
      <h1>{name}</h1>
      <p class="standing">
        {row === undefined ? null : <Word tone={row.tone}>{row.says}</Word>}
        <span class="muted">
          {kind} in {namespace}
          {row === undefined ? '' : `, ${row.ready} of ${row.desired} ready`}
        </span>
        {row === undefined ? null : <code>{row.image}</code>}
      </p>
      {homeless[0] === undefined ? null : <WhyNotPlaced pod={homeless[0].key} others={homeless.length - 1} />}
      <h2>Pods</h2>
      <PodTable rows={own} by="workload" />
      <h2>Events</h2>
      <EventList rows={events.all().filter((event) => about.has(event.about))} max={20} />
    </>
  )
}
