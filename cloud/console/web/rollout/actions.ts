/** What an operator can do with a rollout, in a fixed order: what it means in numbers, what it sends, or why not now. Pure. */
import type { RolloutPart } from '../../rollout-view.ts'
import { grouped, plural } from '../words.ts'

export interface RolloutAction {
  readonly label: string
  /** why it cannot be done now; '' = it can */
  readonly whyNot: string
  /** what will happen, in numbers */
  readonly effect: string
  /** hard to take back */
  readonly grave: boolean
  /** sent to `.../actions`, with a reason */
  readonly body: Readonly<Record<string, unknown>>
}

type Counts = RolloutPart['row']['counts']

export function rolloutActions({ row, whyNot, lastWave }: RolloutPart): readonly RolloutAction[] {
  const sum = (...verdicts: readonly string[]): number => verdicts.reduce((all, one) => all + (row.counts[one] ?? 0), 0)
  const asks = row.waves.find((wave) => wave.state === 'WaitingApproval')
  const next = row.waves.find((wave) => wave.number > row.releasedWave)
  const last = row.waves.find((wave) => wave.number === lastWave)
  const busy = sum('downloading', 'waitingForWindow', 'locked', 'updating', 'soaking')
  const failed = sum('failed', 'rolledBackByDevice')
  const action = (label: string, why: string, effect: string, body: RolloutAction['body'], grave = false): RolloutAction => ({
    label,
    whyNot: why,
    effect,
    grave,
    body,
  })
  return [
    action(
      'Approve wave',
      whyNot.approve,
      asks === undefined
        ? 'The next wave that needs it is approved.'
        : `Wave ${asks.number} (${asks.name}) may start: ${plural(asks.counts.members, 'device')}.`,
      { action: 'approve' },
    ),
    action(
      'Resume',
      whyNot.resume,
      `${plural(sum('pending', 'queued'), 'device')} go on as planned. Failures until now no longer count against the limits.`,
      {
        action: 'resume',
      },
    ),
    action('Pause', whyNot.pause, `No further device starts. ${plural(busy, 'device')} under way go on to their end.`, { action: 'pause' }),
    action(
      'Promote wave',
      whyNot.promote,
      next === undefined
        ? ''
        : `Wave ${next.number} (${next.name}) starts without waiting for the gates before it: ${plural(next.counts.members, 'device')}.`,
      { action: 'promote' },
      true,
    ),
    action('Retry failed', whyNot.retry, `${plural(failed, 'device')} ${failed === 1 ? 'tries' : 'try'} once more.`, { action: 'retry' }),
    action(
      'Roll back wave',
      whyNot.rollback,
      last === undefined ? '' : `Wave ${last.number} (${last.name}): ${goingBack(last.counts)}.`,
      { action: 'rollback', wave: lastWave },
      true,
    ),
    action('Abort and roll back all', whyNot.abort, `${goingBack(row.counts)}. This ends the rollout for good.`, { action: 'abort' }, true),
  ]
}

/** Names that a command line still shows. */
const NAMED = 8

/** The command that does the same; undefined = it would be too long to read. */
export function shellOf({ body }: RolloutAction, path: string): { readonly command: string; readonly takesReason: boolean } | undefined {
  const [, namespace = '', name = ''] = /\/namespaces\/([^/]+)\/rollouts\/([^/]+)$/.exec(path) ?? []
  const { action, wave, names, resume } = body
  const devices = Array.isArray(names) ? names.map(String) : []
  if (devices.length > NAMED) return undefined
  const words = [
    `skerry rollout ${String(action)} ${name} -n ${namespace}`,
    ...(typeof wave === 'number' ? [`--wave ${wave}`] : []),
    ...devices.map((one) => `--device ${one}`),
    ...(resume === true ? ['--resume'] : []),
  ]
  return { command: words.join(' '), takesReason: true }
}

/** Leaves members out and goes on. */
export function excludeAndResume(names: readonly string[]): RolloutAction {
  return {
    label: 'Exclude this group and resume',
    whyNot: '',
    effect:
      `${plural(names.length, 'device')} ${names.length === 1 ? 'is' : 'are'} left out from now on: one in the middle of the change goes back, ` +
      'one that is done stays. The rollout goes on with the others.',
    grave: false,
    body: { action: 'exclude', names, resume: true },
  }
}

/** `4,210 go back, 1,190 offline go back when they return, 7,000 untouched` */
function goingBack(counts: Counts): string {
  const untouched = ['pending', 'queued', 'skipped', 'held', 'returned'].reduce((sum, one) => sum + (counts[one] ?? 0), 0)
  const offline = counts['offline'] ?? 0
  const back = Math.max(0, counts.members - untouched - offline)
  const parts = [
    ...(back > 0 ? [`${grouped(back)} ${back === 1 ? 'goes' : 'go'} back to what was before`] : []),
    ...(offline > 0 ? [`${grouped(offline)} offline ${offline === 1 ? 'goes back when it returns' : 'go back when they return'}`] : []),
    `${grouped(untouched)} untouched`,
  ]
  return parts.join(', ')
}
