/** Local eviction: the watch over memory, PIDs and disk, and what containers and pods hold on the disk (many files: asked seldom). */
import path from 'node:path'
import { folderOf } from './core/pod-mounts.ts'
import type { ObservedContainer } from './core/model.ts'
import { scratchVolumes } from './core/scratch-volumes.ts'
import type { VolumeUse } from './core/scratch-volumes.ts'
import type { AgentState } from './core/state.ts'
import { folderSize } from './inventory/folder-size.ts'
import { createHostReader } from './inventory/host-reader.ts'
import { createPressureSampler } from './inventory/pressure-sampler.ts'
import type { Engine } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { watchPressure } from './runtime/pressure-watch.ts'
import type { DiskUse } from './runtime/pressure-watch.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'

/** The result ends it. */
export function keepPressure(engine: Engine, loop: Loop): () => void {
  const { sample } = createPressureSampler(createHostReader())
  return watchPressure({ clock: systemClock, random: systemRandom, loop, sample, disk: diskUse(engine, () => loop.state()) })
}

function diskUse(engine: Engine, state: () => AgentState): DiskUse {
  const volumes = async (onlyLimited: boolean): Promise<VolumeUse> => {
    const { desired, local, volumes: seen } = state()
    const disk = local?.roots?.disk
    const use: Record<string, Record<string, number>> = {}
    if (disk === undefined) return use
    for (const pod of desired?.pods ?? []) {
      if (seen?.pods.includes(pod.uid) !== true) continue
      for (const name of scratchVolumes(pod, onlyLimited)) (use[pod.uid] ??= {})[name] = await folderSize(folderOf(disk, pod.uid, 'scratch', name))
    }
    return use
  }
  /** the log of a container lies beside its description */
  const logs = (containers: readonly ObservedContainer[], dataRoot: string): Promise<readonly (readonly [string, number])[]> =>
    Promise.all(containers.map(async ({ id }) => [id, await folderSize(path.join(dataRoot, 'containers', id))] as const))
  return {
    volumes,
    all: async () => {
      const { observed, engine: seen } = state()
      const layers = (await engine.layerSizes?.()) ?? {}
      const beside = await logs(observed ?? [], seen.info?.dataRoot ?? '/var/lib/docker')
      const scratch = Object.entries(await volumes(false)).map(([uid, held]) => [uid, Object.values(held).reduce((sum, bytes) => sum + bytes, 0)])
      return {
        containers: Object.fromEntries(beside.map(([id, bytes]) => [id, bytes + (layers[id] ?? 0)])),
        pods: Object.fromEntries(scratch) as Readonly<Record<string, number>>,
      }
    },
    reclaim: async () => engine.reclaimImages?.(),
  }
}
