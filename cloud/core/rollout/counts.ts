/** Counts of members by verdict. They always add up to `members`. */
import { VERDICTS } from '../../resources/rollout-verdict.ts'
import type { Verdict, VerdictCounts } from '../../resources/rollout-verdict.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'

export type Counts = Readonly<Record<Verdict, number>> & { readonly members: number }

/** What the decisions of one wave, or of all, look at. */
export interface Tally {
  readonly counts: Counts
  /** failed or rolled back, and nobody has gone on knowing of it */
  readonly freshFailures: number
  /** failed or rolled back, and somebody went on */
  readonly toleratedFailures: number
}

type Mutable = { -readonly [K in keyof Counts]: Counts[K] }

export class Tallies {
  readonly #waves = new Map<number, { counts: Mutable; fresh: number; tolerated: number }>()
  readonly #toleratedUntilMs: number

  constructor(toleratedUntilMs: number) {
    this.#toleratedUntilMs = toleratedUntilMs
  }

  add(member: RolloutMember): void {
    const wave = this.#of(member.wave)
    wave.counts.members += 1
    wave.counts[member.verdict] += 1
    if (!isFailure(member.verdict)) return
    if (member.since > this.#toleratedUntilMs) wave.fresh += 1
    else wave.tolerated += 1
  }

  wave(number: number): Tally {
    const { counts, fresh, tolerated } = this.#of(number)
    return { counts, freshFailures: fresh, toleratedFailures: tolerated }
  }

  /** Of all waves, or of those up to a number. */
  total(upTo = Number.MAX_SAFE_INTEGER): Tally {
    const counts = none()
    let [fresh, tolerated] = [0, 0]
    for (const [number, wave] of this.#waves) {
      if (number > upTo) continue
      counts.members += wave.counts.members
      for (const verdict of VERDICTS) counts[verdict] += wave.counts[verdict]
      fresh += wave.fresh
      tolerated += wave.tolerated
    }
    return { counts, freshFailures: fresh, toleratedFailures: tolerated }
  }

  #of(number: number): { counts: Mutable; fresh: number; tolerated: number } {
    const found = this.#waves.get(number)
    if (found !== undefined) return found
    const fresh = { counts: none(), fresh: 0, tolerated: 0 }
    this.#waves.set(number, fresh)
    return fresh
  }
}

export function isFailure(verdict: Verdict): boolean {
  return verdict === 'failed' || verdict === 'rolledBackByDevice'
}

function none(): Mutable {
  return { members: 0, ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) } as Mutable
}

/** Members on which work goes on, or will without anybody doing anything. */
export function openIn(counts: Counts, silenceCounts: boolean): number {
  const { pending, queued, downloading, waitingForWindow, locked, updating, soaking, returning } = counts
  return pending + queued + downloading + waitingForWindow + locked + updating + soaking + returning + (silenceCounts ? counts.offline : 0)
}

/** As the status shows them: zeros are left out. */
export function shownCounts(counts: Counts): VerdictCounts {
  const shown = Object.entries(counts).filter(([verdict, count]) => count > 0 || verdict === 'members' || verdict === 'done')
  return Object.fromEntries(shown)
}
