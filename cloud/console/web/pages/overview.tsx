import { useLocation } from 'preact-iso'
import type { CauseGroup, SummaryPart } from '../../live-protocol.ts'
import { CauseArticle, isMuted } from '../parts/cause-group.tsx'
import { EventList } from '../parts/event-list.tsx'
import { RolloutStrips } from '../parts/rollout-strips.tsx'
import { Tiles } from '../parts/tiles.tsx'
import { DeviceField } from '../field/device-field.tsx'
import { withTerm } from '../../query.ts'
import { useQuery } from '../use-query.ts'
import { useWish } from '../use-wish.ts'
import { plural } from '../words.ts'
import type { EventRow } from '../../view-model.ts'
import { GroupBy, NoDevices } from './devices.tsx'

/** How the fleet stands: problems first, then every device as a dot, then what changes. */
export function Overview() {
  const summary = useWish({ part: 'summary' })
  const causes = useWish({ part: 'causes' })
  if (summary === undefined || causes === undefined) return <p role="status">Loading…</p>
  if (summary.devices === 0) return <Empty />
  const { groups } = causes
  const told = groups.filter((one) => !isMuted(one))
  return (
    <>
      <h1>{headline(told, summary)}</h1>
      <Tiles summary={summary} />
      <div class="overview">
        <section class="causes" aria-labelledby="causes-title">
          <h2 id="causes-title">What is wrong, by cause</h2>
          <Causes groups={groups} more={causes.more} />
          <FirstWorkload summary={summary} />
        </section>
        <Fleet summary={summary} />
      </div>
      <RolloutStrips />
      <Recent />
    </>
  )
}

const MOST = 12

function Causes({ groups, more }: { readonly groups: readonly CauseGroup[]; readonly more: number }) {
  const told = groups.filter((one) => !isMuted(one))
  const muted = groups.filter(isMuted)
  const left = told.length + more - MOST
  return (
    <>
      {told.length === 0 ? <p class="muted">Nothing. Causes show up here with their devices.</p> : null}
      {told.slice(0, MOST).map((one) => (
        <CauseArticle key={one.key} group={one} />
      ))}
      {left > 0 ? <p class="muted">and {plural(left, 'more cause')}, less wide.</p> : null}
      {muted.length === 0 ? null : (
        <details class="groups">
          <summary>{plural(muted.length, 'muted problem')}</summary>
          {muted.map((one) => (
            <CauseArticle key={one.key} group={one} />
          ))}
        </details>
      )}
    </>
  )
}

/** Devices without work: what comes next. */
function FirstWorkload({ summary: { workloads } }: { readonly summary: SummaryPart }) {
  if (Object.values(workloads).some((count) => count > 0)) return null
  return (
    <p class="muted">
      Nothing is asked of the devices yet. <a href="/console/apply?new=daemonset">Apply a first workload</a>.
    </p>
  )
}

/** Before the first device: how to get one, and what has happened so far. */
function Empty() {
  return (
    <>
      <h1>No device has joined yet.</h1>
      <NoDevices />
      <Recent />
    </>
  )
}

function headline(groups: readonly CauseGroup[], summary: SummaryPart): string {
  const bad = groups.filter((one) => one.tone !== 'unknown').length
  const silent = summary.standings.offline
  if (bad > 0) return `${bad === 1 ? 'One thing needs' : `${bad} things need`} attention.`
  return silent > 0
    ? `All that is heard runs as wanted; ${plural(silent, 'device')} ${silent === 1 ? 'is' : 'are'} silent.`
    : 'Everything runs as wanted.'
}

function Fleet({ summary }: { readonly summary: SummaryPart }) {
  const { get, set } = useQuery()
  const { route } = useLocation()
  const by = get('by') || (summary.labels[0]?.key ?? 'none')
  return (
    <section class="fleet" aria-labelledby="fleet-title">
      <div class="title">
        <h2 id="fleet-title">Every device</h2>
        {summary.labels.length === 0 ? null : <GroupBy labels={summary.labels} by={by} onBy={(value) => set('by', value)} />}
        <a href={`/console/devices?view=field&by=${encodeURIComponent(by)}`}>Larger, with a filter</a>
      </div>
      <DeviceField
        query=""
        by={by === 'none' ? '' : by}
        onGroup={(label) => route(`/console/devices?view=field&by=${encodeURIComponent(by)}&q=${encodeURIComponent(withTerm('', by, label))}`)}
      />
    </section>
  )
}

function Recent() {
  const list = useWish({ part: 'list', table: 'events', query: '', sort: 'newest', offset: 0, limit: 20, facets: false })
  return (
    <section aria-labelledby="recent-title">
      <h2 id="recent-title">Last events</h2>
      <EventList rows={(list?.rows ?? []) as readonly EventRow[]} />
      <p>
        <a href="/console/events">All events</a>
      </p>
    </section>
  )
}
