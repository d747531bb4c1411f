import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit } from '../../edge-agent/core/admission.ts'
import { NO_ENTRY, fromSaved, toSaved } from '../../edge-agent/core/ledger.ts'
import type { DesiredPod, DesiredState, ObservedContainer } from '../../edge-agent/core/model.ts'
import type { Loaded } from '../../edge-agent/core/saved-model.ts'
import type { AgentEvent, Effect } from '../../edge-agent/core/state.ts'
import { plan } from '../../edge-agent/core/plan.ts'
import { rfc3339 } from '../../edge-agent/core/wall-time.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { DEVICE, desiredOf, found, pod, smallDevice } from '../agent-world.ts'
import { ModelEngine, runWorld } from './agent-model.ts'

const UIDS = ['u1', 'u2', 'u3', 'u4'] as const
const STATES = ['created', 'running', 'paused', 'restarting', 'exited', 'dead', 'removing'] as const
const uid = fc.constantFrom(...UIDS)
const hash = fc.constantFrom('a1', 'b2')

const desiredPod = fc
  .record({
    uid,
    hash,
    restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
    hostPort: fc.constantFrom(8080, 8081),
    bindsPort: fc.boolean(),
  })
  .map(({ bindsPort, hostPort, ...rest }) => pod(bindsPort ? { ...rest, hostPort } : rest))
const desiredPods = fc.uniqueArray(desiredPod, { selector: (one) => one.uid, maxLength: 4 })

const container = fc.record({
  pod: uid,
  hash,
  state: fc.constantFrom(...STATES),
  exitCode: fc.constantFrom(0, 1),
  container: fc.constantFrom('app', 'app', 'app', 'sidecar'),
})
const containers = fc.array(container, { maxLength: 8 }).map((list) => list.map((one, index) => found({ ...one, id: `c${index}` })))

const faultsOf = fc.array(fc.boolean(), { maxLength: 12 })
const picksOf = fc.array(fc.nat(12), { maxLength: 80 })
/** a history of desired states: the last one counts */
const targets = fc.array(desiredPods, { maxLength: 3 })
const targetEvents = (history: readonly (readonly DesiredPod[])[]): AgentEvent[] =>
  history.map((pods, index) => ({ kind: 'target', desired: desiredOf(pods, index + 2) }))

const loadedWith = (desired: DesiredState): Loaded => ({ kind: 'state', fellBack: false, state: { desired, floor: desired, ledger: {} } })
const slot = (one: ObservedContainer): string => `${one.podUid}/${one.containerName}`
const isAsDesired = (one: ObservedContainer, wanted: DesiredPod): boolean => {
  const policy = wanted.spec.restartPolicy ?? 'Always'
  const ended = (one.state === 'exited' || one.state === 'dead') && (policy === 'Never' || (policy === 'OnFailure' && one.exitCode === 0))
  return one.specHash === wanted.specHash && one.containerName === 'app' && (one.state === 'running' || ended)
}

describe('the agent against a model engine', () => {
  it('comes to exactly the desired containers from anywhere, through failing steps, and then does nothing more', () => {
    fc.assert(
      fc.property(desiredPods, targets, containers, faultsOf, picksOf, (early, history, owned, faults, picks) => {
        const engine = new ModelEngine(owned, ['foreign-1', 'skerry-default-u1-app-u1-a1000000-not-ours'])
        const pods = history.at(-1) ?? early
        const state = runWorld(engine, targetEvents(history), { loaded: loadedWith(desiredOf(early)), faults, picks })
        const left = engine.list()
        expect(left.map((one) => one.podUid).toSorted()).toEqual(pods.map((one) => one.uid).toSorted())
        for (const wanted of pods) expect(left.some((one) => one.podUid === wanted.uid && isAsDesired(one, wanted))).toBe(true)
        expect(engine.foreign.size).toBe(2)
        expect(state.desired?.generation).toBe(history.length + 1)
        const again = plan({ ...state, observed: left }, 1e9)
        expect(again.waves).toEqual([])
        expect(again.waitsFor).toEqual([])
        expect(state.report.last?.converged).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('never runs one container twice, and stops no running container that is desired', () => {
    fc.assert(
      fc.property(desiredPods, targets, containers, faultsOf, picksOf, (early, history, owned, faults, picks) => {
        const engine = new ModelEngine(owned)
        const running = (of: string): number => engine.list().filter((one) => slot(one) === of && one.state === 'running').length
        const twiceBefore = new Set(owned.map(slot).filter((of) => owned.filter((one) => slot(one) === of && one.state !== 'exited').length > 1))
        const always = (one: ObservedContainer): boolean =>
          [early, ...history].every((pods) => pods.some((wanted) => wanted.uid === one.podUid && isAsDesired(one, wanted)))
        const healthy = owned.filter((one) => one.state === 'running' && always(one))
        const alone = healthy.filter((one) => !twiceBefore.has(slot(one)))
        runWorld(engine, targetEvents(history), {
          loaded: loadedWith(desiredOf(early)),
          faults,
          picks,
          watcher: {
            afterStep: () => {
              for (const one of engine.list()) if (!twiceBefore.has(slot(one))) expect(running(slot(one))).toBeLessThanOrEqual(1)
              for (const one of alone) expect(engine.containers.get(one.id)).toBe(one)
            },
          },
        })
      }),
      { numRuns: 120 },
    )
  })

  it('changes nothing while it does not know what is desired', () => {
    const loaded = fc.constantFrom<Loaded>(
      { kind: 'none' },
      { kind: 'unknown', floor: null, why: 'test' },
      { kind: 'unknown', floor: { epoch: 9, generation: 9 }, why: 'test' },
    )
    fc.assert(
      fc.property(loaded, containers, (kind, owned) => {
        const engine = new ModelEngine(owned.filter((one) => one.state !== 'restarting' && one.state !== 'removing'))
        const before = engine.list()
        const done = new Set<string>()
        const watcher = { afterEvent: (_: unknown, effects: readonly Effect[]) => effects.forEach((one) => done.add(one.kind)) }
        const state = runWorld(engine, [{ kind: 'engine-event' }], { loaded: kind, watcher })
        expect(engine.list()).toEqual(before)
        expect(done.has('run-wave') || done.has('save')).toBe(false)
        expect(state.report.last?.converged).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('reports every pod of which a container exists', () => {
    fc.assert(
      fc.property(desiredPods, containers, (pods, owned) => {
        runWorld(new ModelEngine(owned), [], {
          loaded: loadedWith(desiredOf(pods)),
          watcher: {
            afterEvent: (state, effects) => {
              for (const effect of effects) {
                if (effect.kind !== 'publish-status') continue
                const there = (state.observed ?? []).map((one) => one.podUid)
                const listed = effect.report.pods.map((one) => one.uid).toSorted()
                expect(listed).toEqual([...new Set([...there, ...pods.map((one) => one.uid)])].toSorted())
              }
            },
          },
        })
      }),
      { numRuns: 100 },
    )
  })
})

describe('a plan', () => {
  it('is empty, or has something to run, or names what it waits for', () => {
    const wait = fc.record({ failures: fc.nat(3), crashes: fc.nat(3), notBeforeMonoMs: fc.constantFrom(null, 50, 5_000) })
    const key = fc.constantFrom(...UIDS.flatMap((one) => [`${one}/app/a1000000`, `${one}/app/b2000000`]))
    fc.assert(
      fc.property(desiredPods, containers, fc.dictionary(key, wait), (pods, owned, waits) => {
        const ledger = Object.fromEntries(Object.entries(waits).map(([key, entry]) => [key, { ...NO_ENTRY, ...entry }]))
        const made = plan(
          { device: DEVICE, knowledge: 'known', desired: desiredOf(pods), observed: owned, ledger, probes: {}, inventory: null, adopted: [] },
          1_000,
        )
        const idle = made.verdicts.every((one) => one.kind === 'keep' || one.kind === 'adopt')
        expect(idle || made.waves.length > 0 || made.waitsFor.length > 0).toBe(true)
        expect(made.waves.every((wave) => wave.length > 0 && wave.every((lane) => lane.steps.length > 0))).toBe(true)
        for (const wave of made.waves) expect(new Set(wave.map((lane) => lane.key)).size).toBe(wave.length)
        for (const verdict of made.verdicts) if (verdict.kind === 'blocked') expect(verdict.cause).toBeDefined()
        if (made.nextAtMonoMs !== null) expect(made.nextAtMonoMs).toBeGreaterThan(1_000)
      }),
      { numRuns: 100 },
    )
  })
})

describe('targets', () => {
  it('in any order, late, twice or unsaved, never go back and are never acted on before they are durable', () => {
    const news = fc.oneof(
      fc.record({
        kind: fc.constant('target' as const),
        epoch: fc.integer({ min: 1, max: 3 }),
        generation: fc.integer({ min: 1, max: 6 }),
        pods: desiredPods,
      }),
      fc.constant({ kind: 'observe-failed' as const }),
    )
    fc.assert(
      fc.property(fc.array(news, { maxLength: 15 }), containers, picksOf, (list, owned, picks) => {
        const events = list.map((one): AgentEvent =>
          one.kind === 'target' ? { kind: 'target', desired: desiredOf(one.pods, one.generation, one.epoch) } : { kind: 'engine-event' },
        )
        const durable = new Set<string>()
        let highest = 0
        runWorld(new ModelEngine(owned), events, {
          loaded: { kind: 'none' },
          picks,
          watcher: {
            afterEvent: (state, effects) => {
              for (const effect of effects) if (effect.kind === 'save' && effect.state.desired !== null) durable.add(effect.state.desired.digest)
              if (state.desired === null) return
              const { epoch, generation, digest } = state.desired
              expect(epoch * 100 + generation).toBeGreaterThanOrEqual(highest)
              highest = epoch * 100 + generation
              expect(durable.has(digest)).toBe(true)
              expect(state.saving).not.toBe(state.desired)
            },
          },
        })
      }),
      { numRuns: 100 },
    )
  })
})

describe('small parts', () => {
  it('writes any time as the calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_000 }), (ms) => {
        const whole = Math.floor(ms / 1000) * 1000
        expect(rfc3339(ms)).toBe(new Date(whole).toISOString().replace('.000Z', 'Z'))
      }),
    )
  })

  it('a ledger that was saved and read again waits no shorter and stays bounded', () => {
    const count = fc.nat(20)
    const wait = fc.integer({ min: -10_000, max: 300_000 })
    const entry = fc.record({ failures: count, crashes: count, more: count, wait, countedExit: fc.option(fc.string()) })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        const ledger = Object.fromEntries(
          entries.map(({ more, wait: ms, ...one }, index) => {
            return [`k${index}`, { ...NO_ENTRY, ...one, restarts: one.crashes + more, notBeforeMonoMs: 1_000 + ms }]
          }),
        )
        const read = fromSaved(toSaved(ledger, 1_000), 50)
        for (const [key, before] of Object.entries(ledger)) {
          const after = read[key] ?? NO_ENTRY
          const hasPast = before.failures + before.restarts > 0 || before.countedExit !== null
          expect((after.notBeforeMonoMs ?? 50) - 50).toBe(hasPast ? Math.max(0, before.notBeforeMonoMs - 1_000) : 0)
          expect(Math.max(after.failures, after.crashes)).toBeGreaterThanOrEqual(Math.max(before.failures, before.crashes))
          expect(after.restarts).toBe(before.restarts)
        }
      }),
      { numRuns: 50 },
    )
    const one = { failures: 1, restarts: 0, remainingMs: 1, countedExit: null }
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, one]))
    expect(Object.keys(fromSaved(many, 0))).toHaveLength(LIMITS.ledgerEntries.value)
  })

  it('admission of a hostile cpu list ends at once', () => {
    expect(admit(pod({ uid: 'u1', placement: { cpus: '0-4000000000' } }), smallDevice())?.code).toBe('placement.cpu.absent')
  })
})
