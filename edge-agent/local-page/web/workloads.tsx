import { letterOf } from '../../../protocol/cpu-states.ts'
import { fillOf } from '../../../protocol/topology-picture.ts'
import type { WorkloadView } from '../view-model.ts'
import { Cause } from './cause.tsx'
import { askFor } from './dialogs.tsx'
import { deviceNowMs } from './live.ts'
import { openLog } from './logs.tsx'
import { Mark } from './mark.tsx'
import { duration } from './words.ts'

/** What runs here, trouble first, each with its reason and one thing to do. */
export function Workloads({ rows, canAct }: { readonly rows: readonly WorkloadView[]; readonly canAct: boolean }) {
  if (rows.length === 0) return <p class="muted">None. The cloud has not placed anything on this device.</p>
  return (
    <ul class="rows">
      {rows.map((row, index) => (
        <Row key={`${row.namespace}/${row.name}/${row.log}`} row={row} index={index} canAct={canAct} />
      ))}
    </ul>
  )
}

function Row({ row, index, canAct }: { readonly row: WorkloadView; readonly index: number; readonly canAct: boolean }) {
  const { log } = row
  return (
    <li class={`row ${row.tone}`}>
      <div class="row-head">
        <Mark tone={row.tone} />
        <h3>
          {row.name}
          {row.cpus === '' ? null : (
            <span class={`key hue${fillOf(index).hue}`} title="letter in the hardware picture">
              {letterOf(index)}
            </span>
          )}
        </h3>
        <span class={`word ${row.tone}`}>{row.word}</span>
      </div>
      <div class="row-body">
        <p class="muted small facts">
          <span>{row.namespace}</span>
          <span class="image">{row.image}</span>
          {row.startedAt === null ? null : <span>up {upFor(row.startedAt)}</span>}
          {row.pull === '' ? null : <span>image: {row.pull}</span>}
          {row.olderRuns ? <span>the version before still runs</span> : null}
          {row.restarts === 0 ? null : (
            <span>
              {row.restarts} {row.restarts === 1 ? 'restart' : 'restarts'}
            </span>
          )}
        </p>
      </div>
      <div class="go">
        {log === null ? null : (
          <button type="button" aria-label={`Log of ${row.name}`} onClick={() => openLog(log, row.name)}>
            Log
          </button>
        )}
        {canAct && row.uid !== '' ? <Actions row={row} /> : null}
      </div>
      <Cause cause={row.cause} />
      <Cause cause={row.update} />
    </li>
  )
}

const ACTIONS = [
  ['restart', 'Restart'],
  ['hold', 'Hold'],
  ['run-previous', 'Previous'],
  ['hold-update', 'Hold updates'],
] as const
const WAITING = [...ACTIONS, ['update-now', 'Update now']] as const

function Actions({ row }: { readonly row: WorkloadView }) {
  return (
    <>
      {(row.update === null ? ACTIONS : WAITING).map(([kind, word]) => (
        <button type="button" key={kind} aria-label={`${word}: ${row.name}`} onClick={() => askFor(kind, row.uid, row.name)}>
          {word}
        </button>
      ))}
    </>
  )
}

function upFor(startedAt: string): string {
  const started = Date.parse(startedAt)
  return Number.isNaN(started) ? '?' : duration(deviceNowMs() - started)
}
