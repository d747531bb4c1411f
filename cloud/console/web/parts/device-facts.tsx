import type { DevicePart, Reading } from '../../live-protocol.ts'
import type { DeviceRow } from '../../view-model.ts'
import { bytes, cores, plural } from '../words.ts'
import { Age } from './age.tsx'
import { Bar } from './bar.tsx'
import { Spark } from './spark.tsx'

/** What its pods ask for, of what it has. */
export function Capacity({ row: { asked, capacity } }: { readonly row: DeviceRow }) {
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

/** Lines of the last minutes; the device measures only while somebody looks. */
export function Readings({ readings }: { readonly readings: DevicePart['readings'] }) {
  const last = readings.at(-1)
  if (last === undefined) return null
  const line = (of: (one: Reading) => number | null): readonly number[] => readings.flatMap((one) => of(one) ?? [])
  const rows = [
    ['CPU', line((one) => one.cpuMilli), last.cpuMilli === null ? '' : `${cores(last.cpuMilli)} cores`],
    ['Memory', line((one) => one.memory), last.memory === null ? '' : bytes(last.memory)],
    ['Disk', line((one) => one.disk), last.disk === null ? '' : bytes(last.disk)],
    ['Hottest', line((one) => one.temperatureC), last.temperatureC === null ? '' : `${last.temperatureC} °C`],
  ] as const
  return (
    <>
      <h2>
        Used{' '}
        <span class="muted">
          as of <Age at={last.atMs} /> ago
        </span>
      </h2>
      {rows
        .filter(([, values]) => values.length > 0)
        .map(([label, values, text]) => (
          <div key={label} class="bar">
            <span class="bar-label">{label}</span>
            <Spark values={values} label={label} width={150} />
            <span class="bar-text">{text}</span>
          </div>
        ))}
    </>
  )
}

/** What it is. */
export function Facts({ row }: { readonly row: DeviceRow }) {
  const facts = [
    ['Address', row.address],
    ['Processor', row.arch],
    ['System', row.os],
    ['Kernel', row.kernel],
    ['Engine', row.engine],
    ['Agent', row.agent],
  ] as const
  const labels = Object.entries(row.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return (
    <>
      <FactList facts={facts.filter(([, value]) => value !== '')} />
      {labels.length === 0 ? null : (
        <details class="labels" open={labels.length <= 6}>
          <summary>{plural(labels.length, 'label')}</summary>
          <FactList facts={labels} />
        </details>
      )}
    </>
  )
}

function FactList({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
