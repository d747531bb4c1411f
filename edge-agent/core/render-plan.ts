/** Plan -> the lines people read in logs, golden cases, the local page and the report. Never shows environment or arguments. */
import { causeSentence } from '../../protocol/causes.ts'
import type { Lane, Plan, Step, Verdict } from './model.ts'

/** One line per verdict (what acts first, what is kept last), then the waves, then what is waited for. */
export function renderPlan(plan: Plan, nowMonoMs: number): readonly string[] {
  const lines = plan.verdicts.toSorted((a, b) => rank(a) - rank(b)).map((verdict) => verdictLine(verdict, nowMonoMs))
  plan.waves.forEach((wave, index) => {
    lines.push(`wave ${index + 1}`)
    for (const lane of wave) lines.push(`  ${laneLine(lane)}`)
  })
  if (plan.waves.length === 0) for (const cause of plan.waitsFor) lines.push(`waits: ${causeSentence(cause)}`)
  if (plan.nextAtMonoMs !== null) lines.push(`looks again ${inWords(plan.nextAtMonoMs - nowMonoMs)}`)
  return lines.length === 0 ? ['nothing to do'] : lines
}

function verdictLine(verdict: Verdict, nowMonoMs: number): string {
  const { namespace, podName, containerName } = verdict.identity
  const code = verdict.cause === undefined ? '' : ` [${verdict.cause.code}]`
  const until = verdict.notBeforeMonoMs === undefined ? '' : ` ${inWords(verdict.notBeforeMonoMs - nowMonoMs)}`
  return `${verdict.kind.padEnd(7)} ${namespace}/${podName}/${containerName}: ${verdict.reason}${code}${until}`
}

function laneLine(lane: Lane): string {
  return lane.steps.map(stepText).join(' > ')
}

/** A step in one phrase. Containers by name or the first characters of their id. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'ensure-image':
      return `ensure-image ${step.image} (${step.policy})`
    case 'create':
      return `create ${step.plan.identity.name}`
    case 'start':
      return `start ${shortTarget(step.target)}`
    case 'set-cpus':
      return `set cpus of ${shortTarget(step.target)} to ${step.cpus}`
    case 'stop':
      return `stop ${shortTarget(step.target)} within ${step.graceSeconds} s${step.preStop === undefined ? '' : ', its preStop hook first'}`
    case 'remove':
      return `remove ${shortTarget(step.target)}`
    case 'prepare-volumes':
      return `prepare volumes of ${step.volumes.podUid}`
    case 'drop-volumes':
      return `drop volumes of ${step.podUid}`
  }
}

function shortTarget(target: string): string {
  return /^[0-9a-f]{64}$/.test(target) ? target.slice(0, 12) : target
}

function rank(verdict: Verdict): number {
  if (verdict.kind === 'blocked') return 1
  return verdict.kind === 'keep' || verdict.kind === 'adopt' ? 2 : 0
}

function inWords(ms: number): string {
  return ms <= 0 ? 'now' : `in ${Math.ceil(ms / 1000)} s`
}
