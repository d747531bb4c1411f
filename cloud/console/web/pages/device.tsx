import { useRoute } from 'preact-iso'
import { Age } from '../parts/age.tsx'
import { Bar } from '../parts/bar.tsx'
import { Cause } from '../parts/cause.tsx'
import { EventList } from '../parts/event-list.tsx'
import { Word } from '../parts/mark.tsx'
import { PodTable } from '../parts/pod-table.tsx'
import { devices, events, pods } from '../live-store.ts'
import { bytes, cores } from '../words.ts'
import type { DeviceRow } from '../../view-model.ts'

/** One device: what is wrong, what it carries, what it is. */
export function Device() {
  const name = useRoute().params['name'] ?? ''
  const row = devices.get(name)
  if (row === undefined)
    return (
      <>
        <h1>{name}</h1>
        <p>
          There is no device of that name. <a href="/console/devices">All devices</a>
        </p>
      </>
    )
  const here = pods.all().filter((pod) => pod.device === name)
  const about = new Set([`Node ${name}`, ...here.map((pod) => `Pod ${pod.key}`)])
  return (
    <>
      <p class="crumb">
        <a href="/console/devices">Devices</a>
      </p>
      <h1>{row.name}</h1>
      <p class="standing">
        <Word tone={row.tone}>{row.word}</Word>
        {row.cordoned ? <span>cordoned</span> : null}
        <Heard row={row} />
      </p>
      {row.causes.map((cause) => (
        <Cause key={cause.says} cause={cause} />
      ))}
      <div class="split">
        <div>
          <h2>Pods</h2>
          <PodTable rows={here} by="device" />
          <h2>Events</h2>
          <EventList rows={events.all().filter((event) => about.has(event.about))} max={20} />
        </div>
        <div class="side">
          <h2>Asked of it</h2>
          <Capacity row={row} />
          <h2>What it is</h2>
          <Facts row={row} />
        </div>
      </div>
    </>
  )
}

function Heard({ row }: { readonly row: DeviceRow }) {
  if (row.word === 'online' || row.word === 'degraded') return <span class="muted">in contact</span>
  return row.heardAtMs === null ? null : (
    <span class="muted">
      last heard <Age at={row.heardAtMs} /> ago
    </span>
  )
}

function Capacity({ row: { asked, capacity } }: { readonly row: DeviceRow }) {
  if (capacity === null) return <p class="muted">It has not told yet what it has.</p>
  return (
    <>
      <Bar label="CPU" used={asked.cpuMilli} total={capacity.cpuMilli} text={`${cores(asked.cpuMilli)} of ${cores(capacity.cpuMilli)}`} />
      <Bar
        label="Memory"
        used={asked.memoryBytes}
        total={capacity.memoryBytes}
        text={`${bytes(asked.memoryBytes)} of ${bytes(capacity.memoryBytes)}`}
      />
      <Bar label="PIDs" used={asked.pids} total={capacity.pids} text={`${asked.pids} of ${capacity.pids}`} />
      <Bar label="Pods" used={asked.pods} total={capacity.pods} text={`${asked.pods} of ${capacity.pods}`} />
    </>
  )
}

function Facts({ row }: { readonly row: DeviceRow }) {
  const facts = [
    ['Address', row.address],
    ['Processor', row.arch],
    ['System', row.os],
    ['Kernel', row.kernel],
    ['Engine', row.engine],
    ['Agent', row.agent],
    ...Object.entries(row.labels).map(([key, value]) => [`label ${key}`, value] as const),
  ] as const
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== '')
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}
