/**
 * The cloud's numbers. INVARIANTS: only metrics and labels of the table; a value that a label's list does not hold, and every series
 * beyond the table's number, is counted as "other", so that no input can make a scrape grow; collecting happens only at a scrape.
 */
import { renderFamilies } from '../../protocol/exposition.ts'
import type { Family, HistogramSample, LabelBound, MetricDefinition, Sample } from '../../protocol/exposition.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { METRICS } from '../core/metric-table.ts'
import type { MetricName } from '../core/metric-table.ts'
import type { Log, Meter } from '../ports.ts'

type Labels = Readonly<Record<string, string>>
/** samples by metric, from one look at the world */
export type Collected = { readonly [M in MetricName]?: readonly Sample[] }

interface Series {
  readonly labels: Labels
  value: number
  readonly counts: number[]
}

const OTHER = 'other'

export class Metrics implements Meter {
  readonly #series = new Map<MetricName, Map<string, Series>>()
  readonly #collectors: (() => Collected)[] = []
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
    for (const name of Object.keys(METRICS) as MetricName[]) for (const labels of closedSeries(METRICS[name])) this.#at(name, labels)
  }

  count(metric: MetricName, labels: Labels = {}, by = 1): void {
    this.#at(metric, labels).value += by
  }

  observe(metric: MetricName, seconds: number, labels: Labels = {}): void {
    const series = this.#at(metric, labels)
    const buckets = bucketsOf(metric)
    const found = buckets.findIndex((bound) => seconds <= bound)
    const index = found < 0 ? buckets.length : found
    series.counts[index] = (series.counts[index] ?? 0) + 1
    series.value += seconds
  }

  /** What is looked up at each scrape. A look that fails is left out of that scrape. */
  collect(look: () => Collected): void {
    this.#collectors.push(look)
  }

  /** In the order of the table. */
  render(): string {
    const collected = new Map<MetricName, Sample[]>()
    for (const look of this.#collectors) {
      try {
        for (const [name, samples] of Object.entries(look())) addTo(collected, name as MetricName, samples)
      } catch (error) {
        this.#log.error('metrics could not be collected', { why: error instanceof Error ? error.message : String(error) })
      }
    }
    const names = Object.keys(METRICS) as MetricName[]
    return renderFamilies(names.map((name) => this.#family(name, collected.get(name) ?? [])))
  }

  #family(name: MetricName, collected: readonly Sample[]): Family {
    const definition: MetricDefinition = METRICS[name]
    const own = [...(this.#series.get(name)?.values() ?? [])]
    if (definition.kind === 'histogram') {
      return { name, definition, histograms: own.map(({ labels, counts, value }): HistogramSample => ({ labels, counts, sum: value })) }
    }
    return { name, definition, samples: merged([...own, ...collected]) }
  }

  #at(metric: MetricName, given: Labels): Series {
    const definition = METRICS[metric]
    const known = this.#series.get(metric) ?? new Map<string, Series>()
    this.#series.set(metric, known)
    const labels = fitted(definition, given)
    const key = Object.values(labels).join('\u0000')
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= LIMITS.metricSeries.value) return this.#overflow(metric, known)
    return added(known, key, labels)
  }

  #overflow(metric: MetricName, known: Map<string, Series>): Series {
    const labels = Object.fromEntries(Object.keys(METRICS[metric].labels).map((name) => [name, OTHER]))
    return known.get(OTHER) ?? added(known, OTHER, labels)
  }
}

function added(known: Map<string, Series>, key: string, labels: Labels): Series {
  const series: Series = { labels, value: 0, counts: [] }
  known.set(key, series)
  return series
}

/** Counters and histograms whose labels are known in advance begin at zero: a rate needs a first value. */
function closedSeries({ kind, labels }: MetricDefinition): readonly Labels[] {
  if (kind === 'gauge') return []
  let all: readonly Labels[] = [{}]
  for (const [name, bound] of Object.entries(labels)) {
    if ('max' in bound) return []
    all = all.flatMap((one) => bound.map((value) => ({ ...one, [name]: value })))
  }
  return all
}

function bucketsOf(metric: MetricName): readonly number[] {
  const definition: MetricDefinition = METRICS[metric]
  return definition.buckets ?? []
}

/** The labels of the table, in its order; what a closed list does not hold is "other". */
function fitted(definition: MetricDefinition, given: Labels): Labels {
  return Object.fromEntries(Object.entries(definition.labels).map(([name, bound]) => [name, within(bound, given[name] ?? '')]))
}

function within(bound: LabelBound, value: string): string {
  return !('max' in bound) && !bound.includes(value) ? OTHER : value.slice(0, 128)
}

/** Series that became the same (all "other") are one. */
function merged(samples: readonly Sample[]): readonly Sample[] {
  const out = new Map<string, Sample>()
  for (const sample of samples) {
    const key = JSON.stringify(sample.labels)
    out.set(key, { labels: sample.labels, value: sample.value + (out.get(key)?.value ?? 0) })
  }
  return [...out.values()].slice(0, LIMITS.metricSeries.value)
}

function addTo(map: Map<MetricName, Sample[]>, metric: MetricName, samples: readonly Sample[]): void {
  const list = map.get(metric) ?? []
  list.push(...samples.map(({ labels, value }) => ({ labels: fitted(METRICS[metric], labels), value })))
  map.set(metric, list)
}
