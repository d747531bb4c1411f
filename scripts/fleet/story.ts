/**
 * The fleet's story: all connect; a rollout in five waves meets a broken batch, pauses by rule, goes on without it, and survives a kill
 * of the cloud; devices that are away are never failures, and finish when they return. After each step the cloud's numbers are
 * held against the truth of the devices.
 */
import { Prng } from '../../test/sim/prng.ts'
import { disagreement } from './agreement.ts'
import type { Expected } from './agreement.ts'
import { ConsoleTab } from './console-tab.ts'
import { DAEMON_SETS, daemonSet } from './daemon-set.ts'
import type { Fleet } from './fleet.ts'
import { phase } from './phases.ts'
import { excludeAndResume, members, rolloutOf, rolloutOfFleet, ROLLOUTS } from './rollout.ts'
import type { RolloutNow } from './rollout.ts'
import { until, untilSaid } from './until.ts'

export const OLD = 'registry.local/app:1'
export const NEW = 'registry.local/app:2'
const PATIENCE_MS = 400_000

export async function runStory(fleet: Fleet, { offlineShare, seed }: { readonly offlineShare: number; readonly seed: number }): Promise<RolloutNow> {
  const { names } = fleet
  const away = awayOf(fleet, offlineShare, seed)
  process.stdout.write(`fleet: ${names.length} devices in ${fleet.workers.length} processes, ${fleet.bad.size} bad, ${away.length} will be away\n`)
  await phase(fleet, 'all connect', () => allConnect(fleet))
  await phase(fleet, 'one pod on every device', async () => {
    await fleet.api.call('POST', DAEMON_SETS, daemonSet(OLD))
    await until('ready', PATIENCE_MS, async () => ({ done: await readyCount(fleet), of: names.length }))
  })
  let tab = await ConsoleTab.open(fleet.cloud)
  const expected: Expected = { away: new Set(away), bad: fleet.bad, newImage: NEW }
  const agree = (step: string, now: Expected = expected): Promise<void> =>
    untilSaid(`the numbers agree (${step})`, PATIENCE_MS, () => disagreement(fleet, tab, now))
  await phase(fleet, `${away.length} devices go away`, async () => {
    await fleet.cut(away)
    await until('silent', PATIENCE_MS, async () => ({ done: await silentCount(fleet), of: away.length }))
  })
  await phase(fleet, 'the rollout meets the broken batch', async () => {
    await fleet.api.call('POST', ROLLOUTS, rolloutOfFleet(names.length, NEW))
    if (fleet.bad.size > 0) await untilPhase(fleet, ({ phase: is, pausedBy }) => is === 'Paused' && pausedBy === 'rule')
    await agree('paused by rule')
  })
  await phase(fleet, 'it goes on without the batch', async () => {
    if (fleet.bad.size > 0) await excludeAndResume(fleet, [...fleet.bad], (await rolloutOf(fleet)).pauses)
    await untilPhase(fleet, ({ phase: is, releasedWave }) => is !== 'Paused' && releasedWave >= 3)
  })
  const [before, doneBefore] = [await rolloutOf(fleet), await doneNames(fleet)]
  tab.close()
  await phase(fleet, 'the cloud is killed in the middle', async () => {
    await fleet.cloud.child.stop('SIGKILL')
    fleet.cloud.child.start()
    await fleet.cloud.ready()
    tab = await ConsoleTab.open(fleet.cloud)
    await until('connected', PATIENCE_MS, async () => ({ done: (await fleet.progress()).up, of: names.length - away.length }))
    await sameStep(fleet, before, doneBefore)
  })
  await phase(fleet, 'the rest of the waves', async () => {
    await untilPhase(fleet, ({ phase: is }) => is.startsWith('Completed'))
    await agree('all waves done')
  })
  await phase(fleet, 'those that were away return', async () => {
    await fleet.connect(away, Math.max(1_000, away.length))
    await until('done', PATIENCE_MS, async () => ({ done: (await doneNames(fleet)).size, of: names.length - fleet.bad.size }))
    await agree('all are back', { ...expected, away: new Set() })
  })
  const end = await rolloutOf(fleet)
  const counts = Object.entries(end.counts).filter(([, count]) => count > 0)
  process.stdout.write(`fleet: the rollout is ${end.phase}: ${counts.map(([verdict, count]) => `${verdict} ${count}`).join(', ')}\n`)
  tab.close()
  return end
}

export async function allConnect(fleet: Fleet): Promise<void> {
  const { names } = fleet
  await fleet.connect(names, 2 * names.length)
  await until('connected', PATIENCE_MS, async () => ({ done: (await fleet.progress()).up, of: names.length }))
  await until('known to the cloud', PATIENCE_MS, async () => ({
    done: (await fleet.api.metrics()).value('skerry_devices', { state: 'ready' }) ?? 0,
    of: names.length,
  }))
}

/** Decided by the seed; never a bad one, so that no failure can be taken for an absence. */
function awayOf(fleet: Fleet, share: number, seed: number): readonly string[] {
  const random = new Prng(seed + 1)
  const order = fleet.names.filter((name) => !fleet.bad.has(name)).map((name) => ({ name, at: random.next() }))
  return order
    .toSorted((a, b) => a.at - b.at)
    .slice(0, Math.round(share * fleet.names.length))
    .map(({ name }) => name)
}

/** A killed cloud takes up the same step: no wave begins anew, nobody who was done is asked again. */
async function sameStep(fleet: Fleet, before: RolloutNow, doneBefore: ReadonlySet<string>): Promise<void> {
  const after = await rolloutOf(fleet)
  if (after.releasedWave < before.releasedWave)
    throw new Error(`wave ${before.releasedWave} was released before the kill, ${after.releasedWave} after it`)
  for (const wave of before.waves) {
    const again = after.waves.find(({ number }) => number === wave.number)
    if (wave.startedAt !== undefined && again?.startedAt !== wave.startedAt)
      throw new Error(`wave ${wave.name} began at ${wave.startedAt}, and again at ${again?.startedAt}`)
  }
  const done = await doneNames(fleet)
  for (const name of doneBefore) {
    if (done.has(name)) continue
    const member = (await members(fleet)).find(({ node }) => node === name)
    const look = (await fleet.looks()).find((one) => one.name === name)
    throw new Error(`${name} was done before the kill and is not after it: ${JSON.stringify({ member, look })}`)
  }
}

async function untilPhase(fleet: Fleet, wanted: (now: RolloutNow) => boolean): Promise<void> {
  let shown = ''
  await untilSaid('the rollout is there', PATIENCE_MS, async () => {
    const now = await rolloutOf(fleet)
    const line = `${now.phase}, wave ${now.releasedWave}: ${now.message}`
    if (line !== shown) process.stdout.write(`    ${line}\n`)
    shown = line
    return wanted(now) ? null : line
  })
}

async function doneNames(fleet: Fleet): Promise<ReadonlySet<string>> {
  return new Set((await members(fleet)).filter(({ verdict }) => verdict === 'done').map(({ node }) => node))
}

async function silentCount(fleet: Fleet): Promise<number> {
  return (await fleet.api.metrics()).value('skerry_devices', { state: 'silent' }) ?? 0
}

async function readyCount(fleet: Fleet): Promise<number> {
  const set = await fleet.api.find(`${DAEMON_SETS}/app`)
  return Number(set?.status?.['numberReady'] ?? 0)
}
