/** What every probe collects beside its facts: where each fact came from, and what did not fit. */
import type { Finding } from '../../protocol/inventory.ts'

export class Evidence {
  readonly findings: Finding[] = []
  readonly sources: Record<string, string> = {}

  /** `fact` is a path in the inventory, `source` the file or call it was read from */
  source(fact: string, source: string): void {
    this.sources[fact] = source
  }

  finding(what: string, source?: string): void {
    this.findings.push(source === undefined ? { what } : { what, source })
  }
}
