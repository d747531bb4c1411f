/** What a suite of `npm run conformance` is: it reads the fixtures that are there and says what passed. */

export interface SuiteResult {
  readonly passed: number
  readonly total: number
  /** one line a miss: case, fact, wanted, got */
  readonly misses: readonly string[]
  /** printed beside the count, for figures that have no pass and fail */
  readonly notes?: readonly string[]
}

export interface Suite {
  readonly name: string
  /** folders or files below the fixtures folder; when none is there the suite is skipped, and says so */
  readonly needs: readonly string[]
  run(fixtures: string): Promise<SuiteResult> | SuiteResult
}

/** Collects cases. A case that throws is a miss, and the others go on. */
export class Tally {
  readonly #name: string
  #passed = 0
  #total = 0
  readonly #misses: string[] = []

  /** @param name put before each miss, where a suite has several parts */
  constructor(name = '') {
    this.#name = name === '' ? '' : `${name} `
  }

  /** one case: equal as JSON */
  equal(name: string, got: unknown, want: unknown): void {
    const wrong = differs('', want, got)
    this.case(name, wrong === null ? [] : [wrong.trim()])
  }

  /** one case: holds, or the sentence says what was found */
  check(name: string, holds: boolean, found: () => string): void {
    this.case(name, holds ? [] : [found()])
  }

  /** `wrong` lists what differs; empty = passed */
  case(name: string, wrong: readonly string[]): void {
    this.#total += 1
    if (wrong.length === 0) this.#passed += 1
    else this.#misses.push(...wrong.map((one) => `${this.#name}${name}: ${one}`))
  }

  async attempt(name: string, run: () => Promise<readonly string[]> | readonly string[]): Promise<void> {
    try {
      this.case(name, await run())
    } catch (error) {
      this.case(name, [error instanceof Error ? `threw ${error.message}` : `threw ${String(error)}`])
    }
  }

  result(notes: readonly string[] = []): SuiteResult {
    return { passed: this.#passed, total: this.#total, misses: this.#misses, notes }
  }
}

/** null when equal, else the difference in words. Key order does not matter. */
export function differs(fact: string, want: unknown, got: unknown): string | null {
  const [wanted, found] = [sortedJson(want), sortedJson(got)]
  return wanted === found ? null : `${fact} wanted ${clip(wanted)} got ${clip(found)}`
}

function sortedJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, item: unknown) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ) ?? 'nothing'
  )
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}
