/** Reads what /metrics answers, strictly: a line that Prometheus would refuse is an error here. */
export interface ReadSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Exposition {
  readonly samples: readonly ReadSample[]
  /** names as in `# TYPE` */
  readonly families: ReadonlyMap<string, string>
  /** sum of the samples that have these labels; null when there is none */
  value(name: string, labels: Readonly<Record<string, string>>): number | null
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/

export function readExposition(text: string): Exposition {
  const samples: ReadSample[] = []
  const families = new Map<string, string>()
  const seen = new Set<string>()
  if (!text.endsWith('\n')) throw new Error('the exposition does not end with a line feed')
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
    if (type !== null) {
      if (families.has(type[1] ?? '')) throw new Error(`the family ${type[1]} comes twice`)
      families.set(type[1] ?? '', type[2] ?? '')
      continue
    }
    const match = SAMPLE.exec(line)
    const value = match?.[3] === 'NaN' ? Number.NaN : Number(match?.[3])
    if (match === null || (Number.isNaN(value) && match[3] !== 'NaN')) throw new Error(`not a sample: ${line}`)
    const key = line.slice(0, line.lastIndexOf(' '))
    if (seen.has(key)) throw new Error(`the series comes twice: ${key}`)
    seen.add(key)
    const name = match[1] ?? ''
    if (!families.has(name) && !families.has(name.replace(/_(bucket|sum|count)$/, ''))) throw new Error(`no # TYPE before ${line}`)
    samples.push({ name, labels: labelsOf(match[2] ?? ''), value })
  }
  return {
    samples,
    families,
    value(name, labels) {
      const found = samples.filter((one) => one.name === name && Object.entries(labels).every(([key, text_]) => one.labels[key] === text_))
      return found.length === 0 ? null : found.reduce((sum, one) => sum + one.value, 0)
    },
  }
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)]
  return Object.fromEntries(
    pairs.map(([, key, value]) => [key ?? '', (value ?? '').replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one))]),
  )
}
