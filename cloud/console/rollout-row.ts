/** One rollout as a row and as a page: how far it is, what it waits for, what failed by cause, who decided what. */
import type { WireCause } from '../../protocol/causes.ts'
import { causeAdvice } from '../../protocol/causes.ts'
import { keyOf, nameOf, namespaceOf } from '../core/meta.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { RolloutPhase, WaveStatus } from '../resources/rollout-status.ts'
import { VERDICTS } from '../resources/rollout-verdict.ts'
import type { Verdict, VerdictCounts } from '../resources/rollout-verdict.ts'
import { actOn } from '../core/rollout/actions.ts'
import type { RolloutAction } from '../core/rollout/actions.ts'
import { capital, causeView } from './cause-words.ts'
import { stamp } from './pod-row.ts'
import type { RolloutPart } from './rollout-view.ts'
import type { RolloutRow, Tone, WaveView } from './view-model.ts'

const TONES: Readonly<Record<RolloutPhase, Tone>> = {
  Preparing: 'busy',
  Blocked: 'bad',
  WaitingApproval: 'warn',
  Running: 'busy',
  Paused: 'warn',
  RollingBack: 'busy',
  Completed: 'ok',
  CompletedWithSkips: 'ok',
  Aborted: 'unknown',
}

export function rolloutRow(rollout: Rollout): RolloutRow {
  const { status } = rollout
  const phase = status?.phase ?? 'Preparing'
  const byRule = phase === 'Paused' && status?.pausedBy === 'rule'
  return {
    key: keyOf(rollout),
    namespace: namespaceOf(rollout),
    name: nameOf(rollout),
    phase,
    word: phase.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase(),
    tone: byRule ? 'bad' : TONES[phase],
    says: status?.message ?? 'Its members are being frozen.',
    summary: Object.entries(status?.summary ?? {}).map(([daemonSet, change]) => `${daemonSet}: ${change}`),
    counts: countsOf(status?.counts),
    waves: (status?.waves ?? []).map(waveView),
    releasedWave: status?.releasedWave ?? 0,
    waits: phase === 'WaitingApproval' ? 'approval' : byRule ? 'paused' : null,
    sinceMs: stamp(status?.pausedAt),
    createdAtMs: stamp(rollout.metadata.creationTimestamp),
  }
}

export function rolloutPart(rollout: Rollout): RolloutPart {
  const { spec, status } = rollout
  const lastWave =
    (status?.waves ?? []).findLast(({ number }) => number <= (status?.releasedWave ?? 0) && spec.rolledBackWaves?.includes(number) !== true)
      ?.number ?? 0
  return {
    row: rolloutRow(rollout),
    cause: viewOf(status?.cause),
    whyNot: whyNot(rollout, lastWave),
    lastWave,
    rules: [
      ['At one time', String(spec.maxParallel ?? '')],
      ['Deadline of a device', spec.deadlineSeconds === undefined ? '' : `${spec.deadlineSeconds} s`],
      ['A silent device', spec.silence === undefined ? '' : `${spec.silence.policy ?? 'Ignore'} after ${spec.silence.afterSeconds ?? 0} s`],
      [
        'Window',
        spec.window === undefined ? 'any time' : `${spec.window.updateWindow}${spec.window.timeZone === undefined ? '' : ` ${spec.window.timeZone}`}`,
      ],
      ['Downloads', bandwidthText(spec.bandwidth)],
      ['Late joiners', spec.lateJoiners ?? ''],
      ['Images ahead', spec.prefetch ?? ''],
      ['Failures in total', limitText(spec.limits)],
    ].filter((rule): rule is [string, string] => rule[1] !== ''),
    failures: (status?.failures ?? []).map(({ code, sentence, count, examples }) => ({
      code,
      sentence,
      count,
      examples,
      next: causeAdvice(code).next,
    })),
    decisions: (status?.decisions ?? []).map((one) => ({
      atMs: stamp(one.at) ?? 0,
      by: one.by,
      action: one.action,
      wave: one.wave ?? null,
      reason: one.reason ?? '',
      cause: viewOf(one.cause),
    })),
  }
}

/** The API's own answer to each action, asked ahead. */
function whyNot(rollout: Rollout, lastWave: number): RolloutPart['whyNot'] {
  const ask = (action: RolloutAction): string => {
    const acted = actOn(rollout, action)
    return acted.ok ? '' : capital(acted.why)
  }
  return {
    pause: rollout.status?.phase === 'Paused' ? 'It is paused already.' : ask({ action: 'pause' }),
    resume: ask({ action: 'resume' }),
    approve: ask({ action: 'approve' }),
    promote: ask({ action: 'promote' }),
    retry: ask({ action: 'retry' }),
    rollback: lastWave === 0 ? 'No wave has started.' : ask({ action: 'rollback', wave: lastWave }),
    abort: ask({ action: 'abort' }),
  }
}

function bandwidthText(bandwidth: Rollout['spec']['bandwidth']): string {
  const { metered, unmetered } = bandwidth ?? {}
  const parts = [
    ...(metered === undefined ? [] : [`${metered} bytes a second on metered links`]),
    ...(unmetered === undefined ? [] : [`${unmetered} on others`]),
  ]
  return parts.join(', ')
}

function limitText(limits: Rollout['spec']['limits']): string {
  const parts = [
    ...(limits?.maxFailures === undefined ? [] : [`at most ${limits.maxFailures}`]),
    ...(limits?.maxFailurePercent === undefined ? [] : [`at most ${limits.maxFailurePercent} %`]),
  ]
  return parts.join(', ')
}

function viewOf(cause: WireCause | undefined): RolloutPart['cause'] {
  return cause === undefined ? null : causeView(cause)
}

function waveView(wave: WaveStatus): WaveView {
  const { gate } = wave
  return {
    number: wave.number,
    name: wave.name,
    state: wave.state,
    counts: countsOf(wave.counts),
    gate:
      gate === undefined
        ? null
        : {
            ...gate,
            started: gate.started ?? gate.ended,
            maxFailures: gate.maxFailures ?? null,
            maxFailurePercent: gate.maxFailurePercent ?? null,
            metrics: (gate.metrics ?? []).map((one) => ({ ...one, value: one.value ?? '' })),
          },
    waitsFor: viewOf(wave.waitsFor),
    startedAtMs: stamp(wave.startedAt),
    passedAtMs: stamp(wave.passedAt),
  }
}

function countsOf(counts: VerdictCounts | undefined): RolloutRow['counts'] {
  const all = Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts?.[verdict] ?? 0])) as Record<Verdict, number>
  return { ...all, members: counts?.members ?? 0 }
}
