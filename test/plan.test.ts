/**
 * Golden cases of the planner: one behaviour per file, named after it. SKERRY_REWRITE=1 writes the plan that came out into
 * the files, to be read as a diff before it is committed; refused in CI.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { Scalar, parseDocument } from 'yaml'
import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import type { CauseCode } from '../protocol/causes.ts'
import type { LifecycleHandler } from '../protocol/probe.ts'
import { keyOfObserved } from '../edge-agent/core/identity.ts'
import type { ObservedContainer } from '../edge-agent/core/model.ts'
import type { LedgerEntry } from '../edge-agent/core/saved-model.ts'
import type { AgentState } from '../edge-agent/core/state.ts'
import type { ContainerProbes } from '../edge-agent/core/probe-model.ts'
import { firstMet, runOf } from '../edge-agent/core/probes.ts'
import type { Pressure } from '../edge-agent/core/pressure-model.ts'
import { plan } from '../edge-agent/core/plan.ts'
import type { PendingUpdate, Updates } from '../edge-agent/core/update-model.ts'
import { freshRecord } from '../edge-agent/core/update-records.ts'
import { renderPlan } from '../edge-agent/core/render-plan.ts'
import { DEVICE, desiredOf, found, ledgerOf, pod, smallDevice } from './agent-world.ts'
import type { FoundInput, PodInput } from './agent-world.ts'

type Facts = Readonly<Record<string, string>>

interface Case {
  readonly why: string
  readonly knowledge?: AgentState['knowledge']
  readonly nowMs?: number
  readonly desired?: readonly PodInput[] | null
  readonly observed?: readonly FoundInput[]
  readonly ledger?: Readonly<Record<string, Partial<LedgerEntry>>>
  readonly inventory?: 'two-cpus'
  readonly allowedCpus?: string
  readonly adopted?: readonly string[]
  /** observed pods whose liveness probe has failed, with the probe's own grace period (null = the pod's) */
  readonly unhealthy?: Readonly<Record<string, number | null>>
  readonly preStop?: Readonly<Record<string, LifecycleHandler>>
  readonly evicted?: readonly string[]
  readonly short?: boolean
  /** revisions that pods do not have yet, and what they wait for */
  readonly waiting?: readonly (PodInput & {
    readonly reason: PendingUpdate['reason']
    readonly code: CauseCode
    readonly facts?: Facts
    readonly inMs?: number
  })[]
  /** pods that are stopped for want of contact */
  readonly alone?: readonly string[]
  readonly plan: string
}

const FOLDER = new URL('./cases/plan/', import.meta.url)
const REWRITE = process.env['SKERRY_REWRITE'] === '1'
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()

describe('plan', () => {
  it('has its cases, and is never rewritten in CI', () => {
    expect(files.length).toBeGreaterThanOrEqual(30)
    expect(REWRITE && process.env['CI'] !== undefined).toBe(false)
  })

  for (const file of files) {
    it(file.replace('.yaml', '').replaceAll('-', ' '), () => {
      const document = parseDocument(readFileSync(new URL(file, FOLDER), 'utf8'))
      const input = document.toJS() as Case
      const text = `${planText(input).join('\n')}\n`
      if (REWRITE && process.env['CI'] === undefined) {
        const scalar = new Scalar(text)
        scalar.type = Scalar.BLOCK_LITERAL
        document.set('plan', scalar)
        writeFileSync(new URL(file, FOLDER), document.toString({ lineWidth: 0 }))
      } else expect(text).toBe(input.plan)
    })
  }
})

const SHORT = cause('device.pressure.memory', { has: '10 MiB', total: '4096 MiB', needs: '100 MiB' })

function pressureOf({ evicted = [], short = false }: Case): Pressure {
  return {
    short: short ? { memory: { now: true, lastShortMonoMs: 0, cause: SHORT } } : {},
    evicted: Object.fromEntries(evicted.map((uid) => [uid, SHORT])),
  }
}

/** As the state machine leaves it after the last failure. */
function unhealthyProbes(one: ObservedContainer, unhealthy: NonNullable<Case['unhealthy']>): readonly (readonly [string, ContainerProbes])[] {
  const grace = unhealthy[one.podUid]
  if (grace === undefined) return []
  const why = cause('container.unhealthy', { container: 'app', probe: 'liveness', why: 'no answer within 1 s' })
  const livenessProbe = { tcpSocket: { port: 80 }, ...(grace === null ? {} : { terminationGracePeriodSeconds: grace }) }
  const container = { name: 'app', image: one.image, livenessProbe }
  const met = firstMet({ run: runOf(one), target: one.id, host: one.ip, container }, { kind: 'fresh' }, 0)
  return [[keyOfObserved(one), { ...met, unhealthy: why }]]
}

function updatesOf({ waiting = [], desired }: Case, nowMs: number): Pick<Updates, 'pending' | 'records' | 'nextAtMonoMs'> {
  const pending = waiting.map((one): readonly [string, PendingUpdate] => [
    one.uid,
    { pod: pod(one), reason: one.reason, cause: cause(one.code, one.facts), notBeforeMonoMs: one.inMs === undefined ? null : nowMs + one.inMs },
  ])
  const records = (desired ?? []).map((one) => [one.uid, freshRecord(pod(one).specHash)] as const)
  return { pending: Object.fromEntries(pending), records: Object.fromEntries(records), nextAtMonoMs: null }
}

function planText(input: Case): readonly string[] {
  const observed = (input.observed ?? []).map((one) => {
    const preStop = input.preStop?.[one.pod]
    return preStop === undefined ? found(one) : { ...found(one), preStop }
  })
  const nowMs = input.nowMs ?? 60_000
  const made = plan(
    {
      device: DEVICE,
      knowledge: input.knowledge ?? 'known',
      desired: input.desired === null || input.desired === undefined ? null : desiredOf(input.desired.map(pod)),
      observed,
      ledger: ledgerOf(input.ledger ?? {}),
      probes: Object.fromEntries(observed.flatMap((one) => unhealthyProbes(one, input.unhealthy ?? {}))),
      pressure: pressureOf(input),
      inventory: input.inventory === undefined ? null : smallDevice(input.allowedCpus === undefined ? {} : { allowedCpus: input.allowedCpus }),
      adopted: input.adopted ?? [],
      updates: updatesOf(input, nowMs),
      fence: {
        stopped: Object.fromEntries((input.alone ?? []).map((uid) => [uid, cause('policy.disconnect.stopped', { after: 600 })])),
        nextAtMonoMs: null,
      },
    },
    nowMs,
  )
  return renderPlan(made, nowMs)
}
