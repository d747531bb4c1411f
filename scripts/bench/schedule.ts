/** Pods per second with durable bindings, every node looked at, beside the engine alone; shapes as in kube-scheduler's own benchmark. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Cluster } from '../../cloud/controllers/cluster.ts'
import { createEventRecorder } from '../../cloud/controllers/event-recorder.ts'
import { startSchedulerController } from '../../cloud/controllers/scheduler-controller.ts'
import { podInfo } from '../../cloud/core/scheduler/pod-info.ts'
import { DEFAULT_PROFILE } from '../../cloud/core/scheduler/profile.ts'
import { Engine } from '../../cloud/core/scheduler/schedule.ts'
import { buildSnapshot, withPod } from '../../cloud/core/scheduler/snapshot.ts'
import { World } from '../../cloud/core/scheduler/world.ts'
import type { Node } from '../../cloud/resources/node.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { systemClock, systemRandom } from '../../cloud/system.ts'
import { SHAPES } from './schedule-shapes.ts'
import type { Shape } from './schedule-shapes.ts'

const QUIET = { info: () => undefined, warn: () => undefined, error: (msg: string) => process.stderr.write(`${msg}\n`) }

export async function benchSchedule(only: string | undefined): Promise<void> {
  process.stdout.write('schedule: pods per second, all nodes looked at; durable = decided and committed to SQLite, its log on the medium\n')
  process.stdout.write(`${'shape'.padEnd(36)}${'nodes'.padStart(8)}${'pods'.padStart(8)}${'durable'.padStart(10)}${'engine'.padStart(10)}   floor\n`)
  for (const shape of SHAPES) {
    if (only !== undefined && !shape.name.includes(only)) continue
    const engine = engineAlone(shape)
    const durable = await withStore(shape)
    const cells = [shape.nodes, shape.pods, Math.round(durable), Math.round(engine)]
    const widths = [8, 8, 10, 10]
    process.stdout.write(`${shape.name.padEnd(36)}${cells.map((cell, at) => String(cell).padStart(widths[at] ?? 8)).join('')}   ${shape.floor}\n`)
  }
  process.stdout.write(
    'No shortcut is taken: kept results are those of the rules themselves (test/property/scheduler-cache.test.ts), so no allocation is lost.\n',
  )
}

function engineAlone(shape: Shape): number {
  const { nodes, placed, pending } = partsOf(shape)
  const world = new World(buildSnapshot(nodes, placed).values())
  const engine = new Engine(DEFAULT_PROFILE, world)
  void world.nodes
  const start = performance.now()
  for (const pod of pending) {
    const info = podInfo(pod)
    const decision = engine.decide(info)
    if (decision.kind === 'none') throw new Error(`${shape.name}: ${decision.refusal.sentence}`)
    const node = world.get(decision.node)
    if (node !== undefined) world.set(withPod(node, info))
  }
  return (pending.length * 1000) / (performance.now() - start)
}

async function withStore(shape: Shape): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'skerry-bench-'))
  const store = openSqliteStore(path.join(folder, 'store.sqlite'), { log: QUIET, clock: systemClock })
  try {
    const { nodes, placed, pending } = partsOf(shape)
    await createAll((node) => store.create('nodes', node), nodes)
    await createAll((pod) => store.create('pods', pod), [...placed, ...pending])
    const parts = { store, clock: systemClock, random: systemRandom, log: QUIET }
    const cluster = new Cluster(parts)
    const events = createEventRecorder({ ...parts, cluster })
    let open = (): void => undefined
    const loaded = new Promise<void>((resolve) => {
      open = resolve
    })
    const scheduler = startSchedulerController({ ...parts, cluster, events, loaded })
    let left = pending.length
    const done = new Promise<void>((resolve) => {
      cluster.pods.onChange((next, previous) => {
        if (previous?.spec.nodeName === undefined && next?.spec.nodeName !== undefined && previous !== null && --left === 0) resolve()
      })
    })
    await cluster.start()
    const start = performance.now()
    open()
    await done
    const seconds = (performance.now() - start) / 1000
    await scheduler.stop()
    cluster.stop()
    await events.stop()
    return pending.length / seconds
  } finally {
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

async function createAll<O extends KubeObject>(create: (object: O) => Promise<unknown>, objects: readonly O[]): Promise<void> {
  for (let at = 0; at < objects.length; at += 2000) await Promise.all(objects.slice(at, at + 2000).map((object) => create(object)))
}

function partsOf(shape: Shape): { readonly nodes: readonly Node[]; readonly placed: readonly Pod[]; readonly pending: readonly Pod[] } {
  return {
    nodes: Array.from({ length: shape.nodes }, (_, index) => shape.node(index)),
    placed: Array.from({ length: shape.placed }, (_, index) => shape.pod(index, nodeName(index % shape.nodes))),
    pending: Array.from({ length: shape.pods }, (_, index) => shape.pod(shape.placed + index, null)),
  }
}

function nodeName(index: number): string {
  return `node-${String(index).padStart(6, '0')}`
}
