/**
 * The text that Prometheus scrapes (exposition format 0.0.4), and what a metric is. Pure. Every label says what bounds it: a
 * closed list of words, or how many values at most and why; `scripts/tidy` has no say here, a test has (metrics.test.ts).
 */
export type LabelBound = readonly string[] | { readonly max: number; readonly why: string }

export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: Readonly<Record<string, LabelBound>>
  /** histogram: upper bounds in ascending order, without +Inf */
  readonly buckets?: readonly number[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>
  /** how many fell into each bucket, one more than bounds */
  readonly counts: readonly number[]
  readonly sum: number
}

export type Family =
  | { readonly name: string; readonly definition: MetricDefinition; readonly samples: readonly Sample[] }
  | { readonly name: string; readonly definition: MetricDefinition; readonly histograms: readonly HistogramSample[] }

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Families without a sample are left out, but for those without labels, which a scrape then misses for good reason. */
export function renderFamilies(families: readonly Family[]): string {
  const lines: string[] = []
  for (const family of families) {
    const { name, definition } = family
    const rows =
      'samples' in family
        ? family.samples.map((sample) => line(name, sample.labels, sample.value))
        : family.histograms.flatMap(histogram(name, definition))
    if (rows.length > 0) lines.push(`# HELP ${name} ${definition.help}`, `# TYPE ${name} ${definition.kind}`, ...rows)
  }
  return `${lines.join('\n')}\n`
}

function histogram(name: string, { buckets = [] }: MetricDefinition): (sample: HistogramSample) => readonly string[] {
  return ({ labels, counts, sum }) => {
    let below = 0
    const rows = [...buckets.map(String), '+Inf'].map((le, index) => {
      below += counts[index] ?? 0
      return line(`${name}_bucket`, { ...labels, le }, below)
    })
    return [...rows, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, below)]
  }
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const inside = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${Number.isFinite(value) ? value : 'NaN'}`
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
