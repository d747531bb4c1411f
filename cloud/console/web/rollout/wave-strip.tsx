import type { WaveView } from '../../view-model.ts'
import { Cause } from '../parts/cause.tsx'
import { grouped, plural } from '../words.ts'
import { counted, wordClass } from './verdict-groups.ts'

interface WaveStripProps {
  readonly waves: readonly WaveView[]
  /** 0 = none */
  readonly chosen: number
  onChoose(wave: number): void
}

const STATES: Readonly<Record<WaveView['state'], string>> = {
  Pending: 'not started',
  WaitingApproval: 'waits for approval',
  Running: 'running',
  Passed: 'gate passed',
  RolledBack: 'rolled back',
}

/** One block a wave, as wide as it has devices: what became of them, and the gate under it. */
export function WaveStrip({ waves, chosen, onChoose }: WaveStripProps) {
  return (
    <ol class="waves" aria-label="Waves">
      {waves.map((wave) => (
        <li
          key={wave.number}
          class={`wave ${wave.state === 'Running' ? 'now' : ''}`}
          style={{ flexGrow: Math.max(1, Math.sqrt(wave.counts.members)) }}
        >
          <button type="button" aria-pressed={chosen === wave.number} onClick={() => onChoose(chosen === wave.number ? 0 : wave.number)}>
            <span class="wave-name">
              <b>
                {wave.number} {wave.name}
              </b>
              <span class="muted">{STATES[wave.state]}</span>
            </span>
            <VerdictBar counts={wave.counts} />
            <span class="wave-counts">{countsText(wave.counts)}</span>
          </button>
          <Gate wave={wave} />
        </li>
      ))}
    </ol>
  )
}

export function VerdictBar({ counts }: { readonly counts: WaveView['counts'] }) {
  return (
    <span class="verdicts" aria-hidden="true">
      {counted(counts).map((group) => (
        <i key={group.name} class={wordClass(group.name)} style={{ flexGrow: group.count }} />
      ))}
    </span>
  )
}

export function countsText(counts: WaveView['counts']): string {
  const groups = counted(counts)
  return groups.length === 0 ? 'no devices' : groups.map((group) => `${grouped(group.count)} ${group.name}`).join(', ')
}

function Gate({ wave }: { readonly wave: WaveView }) {
  const { gate, waitsFor } = wave
  if (gate === null) return null
  const share = gate.started === 0 ? 0 : Math.round((gate.failures / gate.started) * 1000) / 10
  return (
    <div class="gate">
      <p>
        healthy <b>{gate.healthyPercent} %</b> of {grouped(gate.base)}, needs {gate.wantedPercent} %
      </p>
      <span class="gauge" aria-hidden="true">
        <i style={{ width: `${gate.healthyPercent}%` }} />
        <em style={{ left: `${gate.wantedPercent}%` }} />
      </span>
      <p class={isOver(gate, share) ? 'bad' : ''}>
        failures <b>{gate.failures}</b>
        {gate.maxFailures === null ? '' : ` of at most ${gate.maxFailures}`}
        {gate.maxFailurePercent === null ? '' : ` (${share} %, limit ${gate.maxFailurePercent} %)`}
      </p>
      <p class="muted">soak {gate.soakSeconds} s</p>
      {gate.metrics.map((metric) => (
        <Metric key={metric.says} metric={metric} />
      ))}
      {waitsFor === null || wave.state === 'Passed' ? null : <Cause cause={{ ...waitsFor, code: '' }} />}
    </div>
  )
}

type MetricView = NonNullable<WaveView['gate']>['metrics'][number]

/** The bar shows who is within; what is not known is left empty, for it is neither. */
function Metric({ metric }: { readonly metric: MetricView }) {
  const { says, state, base, within, outside, unknown, wantedPercent, forSeconds, value } = metric
  const share = (count: number): number => (base === 0 ? 0 : (100 * count) / base)
  return (
    <>
      <p class={state === 'Missed' ? 'bad' : ''}>
        {says} <span class="muted">over {forSeconds} s</span>: <b>{grouped(within)}</b> of {plural(base, 'device')}
        {outside === 0 ? '' : `, ${grouped(outside)} outside`}
        {unknown === 0 ? '' : `, ${grouped(unknown)} not known`}
        {value === '' ? '' : `; over all ${value}`}
      </p>
      <span class="gauge" aria-hidden="true">
        <i style={{ width: `${share(within)}%` }} />
        <em style={{ left: `${wantedPercent}%` }} />
      </span>
    </>
  )
}

function isOver({ failures, maxFailures, maxFailurePercent }: NonNullable<WaveView['gate']>, share: number): boolean {
  return (maxFailures !== null && failures > maxFailures) || (maxFailurePercent !== null && share > maxFailurePercent)
}

/** What the colours of the bars mean. */
export function VerdictLegend({ counts }: { readonly counts: WaveView['counts'] }) {
  return (
    <ul class="legend" aria-label="What the bars mean">
      {counted(counts).map((group) => (
        <li key={group.name}>
          <span class="verdicts swatch" aria-hidden="true">
            <i class={wordClass(group.name)} />
          </span>{' '}
          {group.name} {plural(group.count, 'device')}
        </li>
      ))}
    </ul>
  )
}
