/**
 * What operators do with a rollout, as fields of its spec: the same whether kubectl, skerry or the console sets them. An action
 * that makes no sense now is refused with the reason.
 */
import { bool, check, int, list, obj, oneOf, required, str } from '../../../protocol/shape.ts'
import type { Infer } from '../../../protocol/shape.ts'
import { LABEL_SELECTOR } from '../../resources/object.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { Rollout } from '../../resources/rollout.ts'
import { hasTarget } from './choice.ts'
import { isFailure } from './counts.ts'
import { wavesOf } from './freeze.ts'
import { hasEnded } from './step-input.ts'
import { VERDICTS } from '../../resources/rollout-verdict.ts'

/** Body of `POST .../rollouts/NAME/actions`. */
export const ROLLOUT_ACTION = obj({
  action: required(oneOf('pause', 'resume', 'approve', 'promote', 'retry', 'exclude', 'rollback', 'abort')),
  /** approve, promote: up to this wave (default: the next). rollback: this wave; without it, all */
  wave: int(1),
  /** exclude */
  names: list(str({ min: 1, max: 63 }), { max: 10_000 }),
  selector: LABEL_SELECTOR,
  /** abort: devices that are done stay on the new revision */
  keep: bool(),
  /** exclude, retry: and go on if a rule has paused it */
  resume: bool(),
  reason: str({ max: 1024 }),
})
export type RolloutAction = Infer<typeof ROLLOUT_ACTION>

export type Acted = { readonly ok: true; readonly spec: RolloutSpec } | { readonly ok: false; readonly why: string }

export function readAction(body: unknown): { readonly ok: true; readonly action: RolloutAction } | { readonly ok: false; readonly why: string } {
  const [issue] = check(ROLLOUT_ACTION, body)
  return issue === undefined
    ? { ok: true, action: body as RolloutAction }
    : { ok: false, why: `${issue.path === '' ? 'the body' : issue.path} ${issue.message}` }
}

/** The spec with the action in it, or why it makes no sense now. */
export function actOn(rollout: Rollout, action: RolloutAction): Acted {
  const { spec, status } = rollout
  if (hasEnded(status) && !(action.action === 'abort' && hasTarget(spec) && status?.phase !== 'Aborted')) return no(endedWhy(rollout))
  if (spec.abort !== undefined && action.action !== 'abort') return no('it is being aborted')
  switch (action.action) {
    case 'pause':
      return spec.paused === true ? no('it is paused already') : yes({ ...spec, paused: true })
    case 'resume':
      return status?.phase !== 'Paused' && spec.paused !== true ? no(`it is not paused (${status?.phase ?? 'Preparing'})`) : yes(resumed(rollout))
    case 'approve':
      return approve(rollout, action)
    case 'promote':
      return promote(rollout, action)
    case 'retry':
      return retry(rollout, action)
    case 'exclude':
      return exclude(rollout, action)
    case 'rollback':
      return action.wave === undefined ? abort(rollout, 'Return') : rollBack(rollout, action.wave)
    case 'abort':
      return abort(rollout, action.keep === true ? 'Stay' : 'Return')
  }
}

function endedWhy({ status }: Rollout): string {
  const next = status?.adopted === true ? 'the DaemonSets have the new template: make another Rollout to go back' : 'make another Rollout'
  return `it has ended (${status?.phase ?? ''}); ${next}`
}

function resumed({ spec, status }: Rollout): RolloutSpec {
  return { ...spec, paused: false, acknowledgedPauses: Math.max(spec.acknowledgedPauses ?? 0, status?.pauses ?? 0) }
}

function approve({ spec, status }: Rollout, { wave }: RolloutAction): Acted {
  const waves = wavesOf(spec)
  const from = Math.max(spec.approvedWave ?? 0, status?.releasedWave ?? 0)
  const next = wave ?? firstAfter(from, (number) => waves[number - 1]?.approval === true, waves.length)
  if (next === null) return no('no wave is left that waits for approval')
  if (next > waves.length) return no(`there are ${waves.length} waves`)
  if (waves[next - 1]?.approval !== true) return no(`wave ${next} needs no approval; to start it without waiting for its gate, promote it`)
  if ((spec.approvedWave ?? 0) >= next) return no(`wave ${next} is approved already`)
  return yes({ ...spec, approvedWave: next })
}

function firstAfter(from: number, wanted: (number: number) => boolean, last: number): number | null {
  for (let number = from + 1; number <= last; number += 1) if (wanted(number)) return number
  return null
}

function promote({ spec, status }: Rollout, { wave }: RolloutAction): Acted {
  const count = status?.waves?.length ?? wavesOf(spec).length
  const released = status?.releasedWave ?? 0
  const next = wave ?? released + 1
  // behind the last wave is the end, which its metrics may hold up
  const measures = status?.waves?.at(-1)?.gate?.metrics?.some(({ state }) => state !== 'Passed') === true
  const last = released === count && measures ? count + 1 : count
  if (next > last) return no(wave === undefined ? 'its last wave has started' : `there are ${count} waves`)
  if (next <= released) return no(`wave ${next} has started`)
  return yes({ ...spec, promotedWave: next })
}

function retry(rollout: Rollout, { resume }: RolloutAction): Acted {
  const counts = rollout.status?.counts ?? {}
  const failed = VERDICTS.filter(isFailure).reduce((sum, verdict) => sum + (counts[verdict] ?? 0), 0)
  if (failed === 0) return no('no device has failed')
  const spec = resume === true ? resumed(rollout) : rollout.spec
  return yes({ ...spec, retries: (spec.retries ?? 0) + 1 })
}

function exclude(rollout: Rollout, { names, selector, reason, resume }: RolloutAction): Acted {
  if ((names ?? []).length === 0 && selector === undefined) return no('say which devices: names or a selector')
  const spec = resume === true ? resumed(rollout) : rollout.spec
  const choice = {
    ...(names === undefined || names.length === 0 ? {} : { names }),
    ...(selector === undefined ? {} : { selector }),
    ...(reason === undefined ? {} : { reason: reason.slice(0, 200) }),
  }
  return yes({ ...spec, exclude: [...(spec.exclude ?? []), choice] })
}

function rollBack({ spec, status }: Rollout, wave: number): Acted {
  const known = spec.rolledBackWaves ?? []
  if (known.includes(wave)) return no(`wave ${wave} goes back already`)
  if (wave > (status?.releasedWave ?? 0)) return no(`wave ${wave} has not started`)
  if (wave > wavesOf(spec).length) return no('late joiners go back with all: abort the rollout')
  return yes({ ...spec, rolledBackWaves: [...known, wave] })
}

function abort({ spec }: Rollout, how: 'Stay' | 'Return'): Acted {
  if (spec.abort === how) return no('it is being aborted')
  if (spec.abort === 'Return') return no('it is being aborted and everybody goes back')
  return yes({ ...spec, abort: how })
}

function yes(spec: RolloutSpec): Acted {
  return { ok: true, spec }
}

function no(why: string): Acted {
  return { ok: false, why }
}
