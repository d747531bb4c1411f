/** Verdicts of members as people read them: eight groups, each a colour, a pattern and a word. */
import type { RolloutRow } from '../../view-model.ts'

export interface VerdictGroup {
  readonly name: string
  readonly verdicts: readonly string[]
}

/** In the order of a bar, the settled ones first. */
export const VERDICT_GROUPS: readonly VerdictGroup[] = [
  { name: 'done', verdicts: ['done'] },
  { name: 'soaking', verdicts: ['soaking'] },
  { name: 'under way', verdicts: ['downloading', 'waitingForWindow', 'locked', 'updating'] },
  { name: 'failed', verdicts: ['failed', 'rolledBackByDevice'] },
  { name: 'offline', verdicts: ['offline'] },
  { name: 'going back', verdicts: ['returning', 'returned'] },
  { name: 'skipped', verdicts: ['skipped', 'held'] },
  { name: 'waiting', verdicts: ['pending', 'queued'] },
]

export interface Counted extends VerdictGroup {
  readonly count: number
}

/** Groups that have members. */
export function counted(counts: RolloutRow['counts']): readonly Counted[] {
  return VERDICT_GROUPS.map((group) => ({ ...group, count: group.verdicts.reduce((sum, verdict) => sum + (counts[verdict] ?? 0), 0) })).filter(
    (group) => group.count > 0,
  )
}

export function wordClass(name: string): string {
  return `v-${name.replaceAll(' ', '-')}`
}
