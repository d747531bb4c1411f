/** The seeded schedule of a run: what operators do and what goes wrong, one entry at a time. Everything it breaks, `healAll` mends. */
import { cause } from '../../protocol/causes.ts'
import { JOB_IMAGE, SCHEDULE } from './once.ts'
import type { SimDevice } from './sim-device.ts'
import { ALL_IMAGES, BAD_IMAGE, IMAGES } from './world.ts'
import type { World } from './world.ts'

interface Deed {
  readonly name: string
  readonly weight: number
  readonly run: (world: World, device: SimDevice) => void | Promise<void>
}

const CALLS = ['create', 'start', 'stop', 'remove', 'ensureImage'] as const

function cutFor(leastMs: number, mostMs: number): Deed['run'] {
  return (w, device) => {
    w.broker.cut(device.name)
    later(w, leastMs, mostMs, () => w.broker.heal(device.name))
  }
}

function later(world: World, fromMs: number, toMs: number, run: () => void): void {
  world.time.after(world.random.int(fromMs, toMs), run)
}

function startLater(world: World, device: SimDevice, maxMs = 20_000): void {
  later(world, 0, maxMs, () => device.startAgent())
}

const DEEDS: readonly Deed[] = [
  { name: 'deploy a', weight: 3, run: (w) => w.cloud.deploy('a', w.random.pick(IMAGES) ?? 'app:1', w.random.int(0, 4), null) },
  { name: 'deploy b with a host port', weight: 2, run: (w) => w.cloud.deploy('b', w.random.pick(IMAGES) ?? 'app:1', 1, 8080) },
  { name: 'daemon c', weight: 3, run: (w) => w.cloud.daemon('c', w.random.pick(IMAGES) ?? 'app:1') },
  { name: 'deploy d with CPUs of its own', weight: 3, run: (w) => w.cloud.deployAlone('d', w.random.pick(IMAGES) ?? 'app:1', w.random.int(0, 2)) },
  { name: 'daemon e in place', weight: 3, run: (w) => w.cloud.daemonInPlace('e', w.random.pick(IMAGES) ?? 'app:1') },
  { name: 'a bad revision of e', weight: 3, run: (w) => w.cloud.daemonInPlace('e', BAD_IMAGE) },
  { name: 'delete e', weight: 1, run: (w) => w.cloud.remove('daemonsets.apps', 'e') },
  { name: 'delete a', weight: 1, run: (w) => w.cloud.remove('deployments.apps', 'a') },
  { name: 'delete c', weight: 1, run: (w) => w.cloud.remove('daemonsets.apps', 'c') },
  {
    name: 'kill the agent',
    weight: 4,
    run: (w, device) => {
      device.killAgent()
      startLater(w, device)
    },
  },
  {
    name: 'power cut',
    weight: 3,
    run: (w, device) => {
      device.powerCut()
      later(w, 500, 8_000, () => device.engine.startDaemon())
      startLater(w, device)
    },
  },
  {
    name: 'cut the link',
    weight: 4,
    run: cutFor(5_000, 240_000),
  },
  {
    name: 'broker down',
    weight: 2,
    run: (w) => {
      w.broker.up = false
      w.broker.wipe()
      later(w, 1_000, 60_000, () => {
        w.broker.up = true
      })
    },
  },
  { name: 'broker wiped', weight: 1, run: (w) => w.broker.wipe() },
  {
    name: 'cloud crash',
    weight: 2,
    run: (w) => {
      w.cloud.crash()
      later(w, 500, 60_000, () => w.cloud.start())
    },
  },
  {
    name: 'engine stops',
    weight: 2,
    run: (w, device) => {
      device.engine.stopDaemon(w.random.chance(0.5))
      later(w, 1_000, 60_000, () => device.engine.startDaemon())
    },
  },
  {
    name: 'engine hangs',
    weight: 1,
    run: (w, device) => {
      device.engine.hungTimeoutMs = 15_000
      later(w, 5_000, 90_000, () => device.engine.startDaemon())
    },
  },
  {
    name: 'engine call fails',
    weight: 3,
    run: (w, device) => device.engine.failNext(w.random.pick(CALLS) ?? 'create', cause('engine.error', { why: 'simulated' })),
  },
  {
    name: 'registry down',
    weight: 1,
    run: (w, device) => {
      device.engine.registry.clear()
      later(w, 5_000, 120_000, () => ALL_IMAGES.forEach((image) => device.engine.registry.add(image)))
    },
  },
  {
    name: 'a container exits',
    weight: 4,
    run: (w, device) => {
      const one = w.random.pick(device.engine.all().filter((c) => c.state === 'running' && c.podUid !== ''))
      if (one !== undefined) device.engine.exit(one.name, w.random.int(0, 2))
    },
  },
  {
    name: 'the wall clock jumps',
    weight: 2,
    run: (w, device) => device.machine.jumpWall((w.random.pick([-56 * 8_760, -1, 1, 10 * 8_760]) ?? 0) * 3_600_000),
  },
  {
    name: 'the disk is full',
    weight: 2,
    run: (w, device) => {
      const { disk } = device
      disk.failing = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      later(w, 5_000, 120_000, () => {
        disk.failing = null
      })
    },
  },
  {
    name: 'the state file is damaged',
    weight: 1,
    run: (w, device) => {
      device.killAgent()
      const file = w.random.pick([...device.disk.files().keys()].filter((name) => name.includes('state.json')))
      if (file !== undefined) device.disk.damage(file, (bytes) => damaged(bytes, w.random.int(0, Math.max(0, bytes.byteLength - 1))))
      startLater(w, device)
    },
  },
  {
    name: 'probes fail',
    weight: 3,
    run: (w, device) => {
      device.fallSick()
      later(w, 5_000, 90_000, () => device.recover())
    },
  },
  {
    name: 'memory runs short',
    weight: 2,
    run: (w, device) => {
      device.availableMi = 10
      later(w, 5_000, 60_000, () => device.recover())
    },
  },
  { name: 'an attacker writes', weight: 3, run: (w, device) => w.attack(device) },
  {
    name: 'bad network',
    weight: 2,
    run: (w) => {
      Object.assign(w.broker.faults, { duplicate: 0.2, delay: 0.2, forget: 0.1 })
      later(w, 5_000, 120_000, () => calm(w))
    },
  },
]

/** Beside those, where there is work that must not run twice. */
const ONCE_DEEDS: readonly Deed[] = [
  {
    name: 'cut the link for long',
    weight: 8,
    run: cutFor(100_000, 600_000),
  },
  {
    name: 'power off for long',
    weight: 6,
    run: (w, device) => {
      device.powerCut()
      const offMs = w.random.int(60_000, 400_000)
      w.time.after(offMs, () => device.engine.startDaemon())
      w.time.after(offMs + 2_000, () => device.startAgent())
      // a router that starts later than the device
      if (w.random.chance(0.5)) w.broker.cut(device.name)
      later(w, offMs, offMs + 300_000, () => w.broker.heal(device.name))
    },
  },
  { name: 'a schedule on all devices', weight: 6, run: (w) => w.cloud.schedule(SCHEDULE, JOB_IMAGE) },
  { name: 'delete the schedule', weight: 1, run: (w) => w.cloud.remove('cronjobs.batch', SCHEDULE) },
]

export async function doSomething(world: World): Promise<void> {
  const device = world.random.pick(world.devices)
  const deeds = world.hasOnce ? [...DEEDS, ...ONCE_DEEDS] : DEEDS
  let left = world.random.next() * deeds.reduce((sum, deed) => sum + deed.weight, 0)
  const deed = deeds.find((one) => (left -= one.weight) < 0)
  if (device === undefined || deed === undefined) return
  world.note(`--- ${deed.name} (${device.name})`)
  await deed.run(world, device)
}

/** Faults end; the world has to find back alone. What a damaged disk or an attacker left behind stays. */
export function healAll(world: World): void {
  world.note('--- everything is healed')
  calm(world)
  world.broker.up = true
  world.cloud.start()
  for (const device of world.devices) {
    world.broker.heal(device.name)
    device.disk.failing = null
    device.recover()
    device.engine.clearFailures()
    for (const image of ALL_IMAGES) device.engine.registry.add(image)
    device.engine.startDaemon()
    device.startAgent()
  }
}

function calm(world: World): void {
  Object.assign(world.broker.faults, { duplicate: 0, delay: 0, forget: 0 })
}

function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
  return copy
}
