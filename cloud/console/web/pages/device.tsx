import { useRoute } from 'preact-iso'
import type { Compared, DevicePart } from '../../live-protocol.ts'
import { Age } from '../parts/age.tsx'
import { Cause } from '../parts/cause.tsx'
import { DeviceActions } from '../parts/device-actions.tsx'
import { Capacity, Facts, Readings } from '../parts/device-facts.tsx'
import { FieldLink } from '../parts/field-link.tsx'
import { EventList } from '../parts/event-list.tsx'
import { Nothing } from '../parts/nothing.tsx'
import { StandingWord, Word } from '../parts/mark.tsx'
import { useWish } from '../use-wish.ts'
import { duration, plural } from '../words.ts'
import { nowMs } from '../live-store.ts'
import type { DeviceRow } from '../../view-model.ts'

/** One device: what it should run, what it says, what runs; what is wrong; what it is. */
export function Device() {
  const { name = '' } = useRoute().params
  return <DeviceOf key={name} name={name} />
}

function DeviceOf({ name }: { readonly name: string }) {
  const part = useWish({ part: 'device', name })
  if (part === undefined) return <p role="status">Loading…</p>
  if (part === null) return <Nothing name={name} what="device" />
  const { row, compared, events } = part
  return (
    <>
      <p class="crumb">
        <a href="/console/devices">Devices</a>
      </p>
      <h1>{name}</h1>
      <p class="standing">
        <StandingWord standing={row.standing} />
        <span>{sentence(part)}</span>
        <Heard row={row} />
        {row.cordoned ? <span class="tag">cordoned: takes no new pods</span> : null}
      </p>
      <DeviceActions row={row} />
      {row.causes.map((cause) => (
        <Cause key={cause.says} cause={cause} />
      ))}
      <Overrides part={part} />
      <h2>Workloads</h2>
      <ComparedTable rows={compared} device={name} stale={row.word === 'offline'} told={part.holds !== null} />
      <Holds part={part} />
      <div class="split">
        <div>
          <h2>Events</h2>
          <EventList rows={events} />
        </div>
        <div class="side">
          <h2>Asked of it</h2>
          <Capacity row={row} />
          <Readings readings={part.readings} />
          <h2>What it is</h2>
          <p>
            <a href={`/console/devices/${name}/topology`}>Topology: nodes, CPUs, GPUs and who has them</a>
          </p>
          <Facts row={row} />
          <h2>Its own page</h2>
          <FieldLink row={row} />
        </div>
      </div>
    </>
  )
}

/** `Failed: 1 of 6 workloads in trouble.` */
function sentence({ row, compared }: DevicePart): string {
  const all = compared.length
  if (row.standing === 'offline') return `${plural(all, 'pod')} last known there; they are left as they are.`
  if (row.standing === 'never-seen') return 'It is known by name and has never reported.'
  const notPlaced = compared.filter((one) => one.pod.word === 'not-placed').length
  if (notPlaced > 0) return `${notPlaced} of ${plural(all, 'pod')} not placed.`
  if (row.troubled > 0) return `${row.troubled} of ${plural(all, 'pod')} in trouble.`
  const differing = compared.filter((one) => one.differs.length > 0).length
  if (differing > 0) return `${differing} of ${plural(all, 'pod')} on the way to what is wanted.`
  return all === 0 ? 'Nothing is wanted there.' : `${plural(all, 'pod')}, all as wanted.`
}

function Heard({ row }: { readonly row: DeviceRow }) {
  if (row.word === 'online' || row.word === 'degraded')
    return <span class="muted">in contact{row.quietMs === undefined ? null : <Quiet row={row} quietMs={row.quietMs} />}</span>
  return row.heardAtMs === null ? null : (
    <span class="muted">
      last heard <Age at={row.heardAtMs} /> ago
    </span>
  )
}

/** A metered link: what it does not say has not changed, as far as the cloud knows. */
function Quiet({ row, quietMs }: { readonly row: DeviceRow; readonly quietMs: number }) {
  return (
    <>
      {' '}
      over a metered link: it speaks when something changes, at least every {duration(quietMs)}
      {row.heardAtMs === null ? null : (
        <>
          ; last heard <Age at={row.heardAtMs} /> ago
        </>
      )}
    </>
  )
}

function Overrides({ part }: { readonly part: DevicePart }) {
  return (
    <>
      {part.overrides.map((one) => (
        <p key={`${one.kind} ${one.about}`} class="notice">
          <b>Decided on site:</b> {one.kind} for {one.about}, by {one.owner}: “{one.reason}”. Ends by itself in {duration(one.endsAtMs - nowMs.value)}
          .
        </p>
      ))}
    </>
  )
}

/** Desired, reported and running beside each other; what differs is marked with a word, not only by colour. */
interface ComparedTableProps {
  readonly rows: readonly Compared[]
  readonly device: string
  readonly stale: boolean
  /** false = this cloud has no report of the device: what runs there is not known, which is not nothing */
  readonly told: boolean
}

function ComparedTable({ rows, device, stale, told }: ComparedTableProps) {
  if (rows.length === 0) return <p class="muted empty">No workload is placed there.</p>
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Workloads: desired, reported, running">
      <table class={`stack compared ${stale ? 'stale' : ''}`}>
        <thead>
          <tr>
            {['Workload', 'State', 'Desired', 'Reported', stale ? 'Running (last known)' : 'Running', ''].map((title) => (
              <th key={title} scope="col">
                {title === '' ? <span class="hidden">More</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <ComparedRow key={one.pod.key} one={one} device={device} told={told} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function ComparedRow({ one, device, told }: { readonly one: Compared; readonly device: string; readonly told: boolean }) {
  const { pod, desired, reported, running, differs } = one
  const marked = (what: Compared['differs'][number]): string => (told && differs.includes(what) ? 'differs' : '')
  return (
    <tr>
      <th scope="row">
        <a href={`/console/workloads/${pod.workload}`}>{pod.workload.split('/').slice(2).join('/')}</a>
        <small>{pod.key}</small>
      </th>
      <td data-label="State">
        <Word tone={pod.tone}>{pod.word}</Word>
        {pod.cause === null ? null : <small>{pod.cause.says}</small>}
      </td>
      <td data-label="Desired">
        {desired === null ? 'gone' : desired.image}
        {desired === null ? null : <small>revision {desired.revision}</small>}
      </td>
      <td data-label="Reported" class={marked('revision')}>
        {reported === null ? <span class="muted">{told ? 'nothing yet' : 'not known'}</span> : reported.phase}
        {reported === null ? null : (
          <small>
            revision {reported.revision}
            {differs.includes('revision') ? ', another one' : ''}
          </small>
        )}
      </td>
      <td data-label="Running" class={marked('image') || marked('state')}>
        {running === null ? <span class="muted">{told ? 'nothing' : 'not known'}</span> : running.image}
        {running === null ? null : (
          <small>
            {running.state}
            {running.restarts > 0 ? `, ${plural(running.restarts, 'restart')}` : ''}
            {differs.includes('image') ? ', another image' : ''}
          </small>
        )}
      </td>
      <td class="row-actions">
        <a href={`/console/why/${pod.key}?on=${device}`} aria-label={`Why: ${pod.key}`}>
          Why
        </a>
        <a href={`/console/logs/${pod.key}`} aria-label={`Logs of ${pod.key}`}>
          Logs
        </a>
      </td>
    </tr>
  )
}

function Holds({ part: { holds } }: { readonly part: DevicePart }) {
  if (holds === null) return <p class="muted">The device has sent no report to this cloud yet.</p>
  return (
    <details class="plan" open={!holds.converged && holds.plan.length > 0}>
      <summary>
        Holds document {holds.generation}; {holds.converged ? 'its engine matches it' : 'still working on it'} (report <Age at={holds.atMs} /> old)
      </summary>
      {holds.plan.length === 0 ? <p class="muted">Nothing is left to do.</p> : <pre>{holds.plan.join('\n')}</pre>}
    </details>
  )
}
