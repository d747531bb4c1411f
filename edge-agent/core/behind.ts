/**
 * The device has taken a newer document than the one it holds: a damaged file cost it the newest. Of the older one only what
 * exists already is kept going: nothing is made, replaced or removed by it until the cloud has sent the newest again.
 */
import { compareVersions } from '../../protocol/accept.ts'
import { cause } from '../../protocol/causes.ts'
import type { Version } from '../../protocol/desired-state.ts'
import type { Verdict } from './model.ts'
import type { LaneItem } from './order.ts'

interface Judged {
  readonly verdicts: readonly Verdict[]
  readonly items: readonly LaneItem[]
}

/** The judgements as they are, or what remains of them when `floor`, the newest document ever taken, is above this one. */
export function unlessBehind(judged: readonly Judged[], desired: Version, floor: Version | null): readonly Judged[] {
  return floor === null || compareVersions(floor, desired) <= 0 ? judged : judged.map((one) => heldBack(one, desired, floor))
}

/** Containers that exist are started and kept. */
function heldBack(judged: Judged, desired: Version, floor: Version): Judged {
  const why = cause('desired.lost', { held: `${desired.epoch}/${desired.generation}`, newest: `${floor.epoch}/${floor.generation}` })
  const verdicts = judged.verdicts.map((verdict): Verdict => {
    const { kind, identity } = verdict
    return kind === 'keep' || kind === 'adopt' || kind === 'start' || kind === 'blocked'
      ? verdict
      : { kind: 'blocked', identity, reason: 'a newer desired state was lost', cause: why }
  })
  return { verdicts, items: judged.items.filter(({ kind, lane }) => kind === 'start' && lane.steps.every(isHarmless)) }
}

function isHarmless({ kind }: LaneItem['lane']['steps'][number]): boolean {
  return kind === 'start' || kind === 'prepare-volumes' || kind === 'ensure-image'
}
