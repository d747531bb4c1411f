/**
 * What one container holds, from the files of its cgroup, v1 or v2. A part that cannot be read is absent. The folder where an
 * engine puts its containers is found once; the same engine uses the same place for all of them.
 */
import type { ContainerUsage } from '../core/pressure-model.ts'
import type { HostReader } from '../ports.ts'

/** Where engines put the cgroup of a container: systemd or cgroupfs driver; one tree, or one for each controller. */
const FOLDERS: Readonly<Record<'memory' | 'pids' | 'cpu', readonly ((id: string) => string)[]>> = {
  memory: folders('memory'),
  pids: folders('pids'),
  cpu: [...folders('cpuacct'), ...folders('cpu,cpuacct').slice(2)],
}

function folders(controller: string): readonly ((id: string) => string)[] {
  return ['', `${controller}/`].flatMap((tree) => [
    (id: string) => `/sys/fs/cgroup/${tree}system.slice/docker-${id}.scope`,
    (id: string) => `/sys/fs/cgroup/${tree}docker/${id}`,
  ])
}

export interface UsageReader {
  /** memory as the kubelet counts it: the working set */
  memoryAndPids(id: string): Promise<ContainerUsage>
  /** microseconds of CPU since the container's cgroup was made */
  cpuUs(id: string): Promise<number | null>
}

export function createUsageReader(reader: HostReader): UsageReader {
  const known: Partial<Record<keyof typeof FOLDERS, number>> = {}
  const firstOf = async (kind: keyof typeof FOLDERS, id: string, read: (folder: string) => Promise<number | null>): Promise<number | null> => {
    const all = FOLDERS[kind]
    const first = known[kind] ?? 0
    for (let index = 0; index < all.length; index += 1) {
      const at = (first + index) % all.length
      const value = await read(all[at]?.(id) ?? '')
      if (value === null) continue
      known[kind] = at
      return value
    }
    return null
  }
  const count = async (file: string): Promise<number | null> => number((await reader.read(file)) ?? undefined)
  return {
    async memoryAndPids(id) {
      const memory = await firstOf('memory', id, async (folder) => {
        const held = (await count(`${folder}/memory.current`)) ?? (await count(`${folder}/memory.usage_in_bytes`))
        if (held === null) return null
        // file pages that nobody used lately cost nothing to give back
        const inactive = number(/^(?:total_)?inactive_file (\d+)/m.exec((await reader.read(`${folder}/memory.stat`)) ?? '')?.[1])
        return Math.max(0, held - (inactive ?? 0))
      })
      const pids = await firstOf('pids', id, (folder) => count(`${folder}/pids.current`))
      return { ...(memory === null ? {} : { memory }), ...(pids === null ? {} : { pids }) }
    },
    cpuUs: (id) =>
      firstOf('cpu', id, async (folder) => {
        const v2 = number(/^usage_usec (\d+)/m.exec((await reader.read(`${folder}/cpu.stat`)) ?? '')?.[1])
        if (v2 !== null) return v2
        const ns = await count(`${folder}/cpuacct.usage`)
        return ns === null ? null : Math.floor(ns / 1000)
      }),
  }
}

export function number(text: string | undefined): number | null {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null
}
