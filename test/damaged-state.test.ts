/**
 * Ten thousand damaged state folders through the real store, and what the agent makes of each outcome. Nothing damaged is ever
 * believed, and no container is touched: what is read is what was saved last or before, or "unknown".
 */
import { describe, expect, it } from 'vitest'
import type { DesiredPod, ObservedContainer } from '../edge-agent/core/model.ts'
import type { Loaded, SavedState } from '../edge-agent/core/saved-model.ts'
import { openStateStore } from '../edge-agent/store/state-store.ts'
import { desiredDigest } from '../protocol/desired-state.ts'
import type { DesiredState } from '../protocol/desired-state.ts'
import { Agent } from './agent-harness.ts'
import { DEVICE, found, pod } from './agent-world.ts'
import { FakeDisk } from './fakes/disk.ts'

const DIR = '/state'
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const doc = (generation: number, pods: readonly DesiredPod[]): DesiredState => ({
  device: DEVICE,
  epoch: 1,
  generation,
  issuedAt: '2026-01-01T00:00:00Z',
  digest: desiredDigest(pods),
  pods,
})
/** b is in the newest document only: an older one would take it away, and make c */
const OLDER = doc(7, [pod({ uid: 'a' }), pod({ uid: 'c' })])
const NEWEST = doc(8, [pod({ uid: 'a' }), pod({ uid: 'b' })])
const savedAs = (desired: DesiredState): SavedState => ({ desired, floor: { epoch: 1, generation: desired.generation }, ledger: {} })
const RUNNING: readonly ObservedContainer[] = [found({ pod: 'a' }), found({ pod: 'b' })]

async function written(): Promise<ReadonlyMap<string, Uint8Array>> {
  const disk = new FakeDisk()
  const store = openStateStore(DIR, { disk, log: quiet })
  await store.save(savedAs(OLDER), { epoch: 1, generation: 7 })
  await store.save(savedAs(NEWEST), { epoch: 1, generation: 8 })
  return disk.files()
}

type Damage = (bytes: Uint8Array) => Uint8Array
const flip =
  (at: number, bit: number): Damage =>
  (bytes) =>
    bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte))
const cutAt =
  (at: number): Damage =>
  (bytes) =>
    bytes.slice(0, at)
const zeroFrom =
  (at: number, length: number): Damage =>
  (bytes) =>
    bytes.map((byte, index) => (index >= at && index < at + length ? 0 : byte))
const text =
  (said: string): Damage =>
  () =>
    Buffer.from(said)
const WHOLE: readonly Damage[] = [
  '',
  'null',
  '0',
  'false',
  '""',
  '{}',
  '[]',
  '\n',
  '{"fmt":1,"gen":9,"len":2,"sha256":""}\n{}',
  '\0'.repeat(512),
].map(text)

/** every offset of each file: one bit (another at each), a cut, a hole of NULs; and whole contents of other kinds */
function* damages(files: ReadonlyMap<string, Uint8Array>): Generator<ReadonlyMap<string, Damage>> {
  const names = [...files.keys()].filter((name) => !name.endsWith('.initialised'))
  const state = names.filter((name) => name.includes('state.json'))
  for (const name of names) {
    const { byteLength } = files.get(name) ?? new Uint8Array()
    for (let at = 0; at < byteLength; at += 1) {
      yield new Map([[name, flip(at, at % 8)]])
      yield new Map([[name, cutAt(at)]])
      yield new Map([[name, zeroFrom(at, 16)]])
    }
    for (const whole of WHOLE) yield new Map([[name, whole]])
  }
  // both generations at once, at unequal places; and every file at once
  for (let at = 0; at < 2_500; at += 1) {
    yield new Map(state.map((name, index) => [name, flip(at + 40 * index, (at + index) % 8)]))
    yield new Map(names.map((name, index) => [name, index % 2 === 0 ? cutAt(at % 300) : flip(at % 60, 3)]))
  }
  for (const whole of WHOLE) yield new Map(names.map((name) => [name, whole]))
}

describe('a damaged state folder', () => {
  it('is never believed, and costs no container', async () => {
    const files = await written()
    const outcomes = new Map<string, { readonly loaded: Loaded; times: number }>()
    let tried = 0
    for (const damage of damages(files)) {
      const damaged = new Map([...files].map(([name, bytes]) => [name, damage.get(name)?.(bytes) ?? bytes]))
      const loaded = await openStateStore(DIR, { disk: new FakeDisk(damaged), log: quiet }).load()
      const key = loaded.kind === 'unknown' ? `unknown ${JSON.stringify(loaded.floor)}` : JSON.stringify(loaded)
      const known = outcomes.get(key)
      if (known === undefined) outcomes.set(key, { loaded, times: 1 })
      else known.times += 1
      tried += 1
    }
    expect(tried).toBeGreaterThanOrEqual(10_000)
    for (const { loaded } of outcomes.values()) {
      // never "there never was anything", and never another document than one of the two
      expect(loaded.kind).not.toBe('none')
      if (loaded.kind === 'state') expect([OLDER, NEWEST]).toContainEqual(loaded.state.desired)
      const agent = new Agent(loaded)
      const done = [...agent.observe(...RUNNING), ...agent.after(60_000).observe(...RUNNING)]
      const steps = done.flatMap((effect) => (effect.kind === 'run-wave' ? effect.lanes.flatMap((lane) => lane.steps) : []))
      expect(steps, JSON.stringify(loaded)).toEqual([])
    }
    const kinds = [...outcomes.values()].map(({ loaded, times }) => [
      loaded.kind === 'state' ? `generation ${loaded.state.desired?.generation}` : loaded.kind,
      times,
    ])
    console.log(`damaged state: ${tried} tried: ${JSON.stringify(kinds)}`)
  })

  it('that cost the newest document still brings back what exists of the older one, and takes the newest from the cloud again', () => {
    const state = { ...savedAs(OLDER), floor: { epoch: 1, generation: 8 } }
    const agent = new Agent({ kind: 'state', fellBack: true, state })
    const steps = (effects: ReturnType<Agent['send']>): readonly object[] =>
      effects.flatMap((effect) => (effect.kind === 'run-wave' ? effect.lanes.flatMap((lane) => lane.steps) : []))
    const stopped = { state: 'exited', startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T01:00:00Z' } as const
    expect(steps(agent.observe(found({ pod: 'a', ...stopped }), found({ pod: 'b' })))).toMatchObject([{ kind: 'start', target: 'id-a-a1' }])
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    expect(steps(agent.observe(...RUNNING))).toEqual([])
    expect(agent.state.plan.verdicts.filter(({ cause }) => cause?.code === 'desired.lost')).toHaveLength(2)
    agent.send({ kind: 'target', desired: NEWEST })
    // the ledger's save that was under way, then the document's
    for (let save = 0; save < 2; save += 1) agent.send({ kind: 'saved', epoch: 1, generation: 8 })
    agent.observe(...RUNNING)
    expect(agent.state.plan.verdicts.map(({ kind }) => kind)).toEqual(['keep', 'keep'])
  })
})
