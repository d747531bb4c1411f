/** What the control group of this process, or one above it, allows: the tightest of the chain counts. Versions 1 and 2, and both mixed. */
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { lowestLimit } from '../../protocol/pids.ts'
import { parseCount, parseIdList } from './id-list.ts'

export interface CgroupFacts {
  readonly pidsMax: number | null
  /** the file that holds pidsMax, and the number of tasks counted there */
  readonly pidsFile: string | null
  readonly pidsCurrent: number | null
  readonly memoryMaxBytes: number | null
  readonly cpuQuotaMilli: number | null
  readonly cpus: readonly number[] | null
  readonly mems: readonly number[] | null
  /** what binds this process itself, its own systemd unit included */
  readonly own: OwnLimits
}

export interface OwnLimits {
  /** the group that holds its cpuset */
  readonly path: string | null
  readonly pidsMax: number | null
  readonly memoryMaxBytes: number | null
  readonly cpuQuotaMilli: number | null
  /** the group and those above it; `pidsMax` null = there is no such file, as in the root */
  readonly pidsChain: readonly { readonly cgroup: string; readonly pidsMax: string | null }[]
}

interface Group {
  readonly version: 1 | 2
  readonly path: string
  /** folders from the group that containers share with us up to the mount */
  readonly chain: readonly string[]
  /** the same from our own group */
  readonly ownChain: readonly string[]
}

export async function probeCgroup(reader: HostReader, evidence: Evidence): Promise<CgroupFacts> {
  const [pids, memory, cpu, cpuset] = await Promise.all(['pids', 'memory', 'cpu', 'cpuset'].map((controller) => findGroup(reader, controller)))
  const pidsLimit = await tightest(reader, pids, 'pids.max', 'pids.max')
  const memoryLimit = await tightest(reader, memory, 'memory.max', 'memory.limit_in_bytes')
  const quota = await cpuQuota(reader, cpu)
  const cpus = await allowedIds(reader, cpuset, ['cpuset.cpus.effective'], ['cpuset.effective_cpus', 'cpuset.cpus', 'cpus'])
  const mems = await allowedIds(reader, cpuset, ['cpuset.mems.effective'], ['cpuset.effective_mems', 'cpuset.mems', 'mems'])
  if (memoryLimit !== null) evidence.source('memory.limitBytes', memoryLimit.file)
  if (quota !== null) evidence.source('cpu quota', quota.file)
  if (cpus !== null) evidence.source('topology.allowedCpus', cpus.file)
  return {
    pidsMax: pidsLimit?.value ?? null,
    pidsFile: pidsLimit?.file ?? null,
    pidsCurrent: pidsLimit === null ? null : parseCount(await reader.read(pidsLimit.file.replace(/max$/, 'current'))),
    memoryMaxBytes: memoryLimit?.value ?? null,
    cpuQuotaMilli: quota?.value ?? null,
    cpus: cpus?.ids ?? null,
    mems: mems?.ids ?? null,
    own: {
      // a group without a cpuset of its own has that of one above it: the kernel says which
      path: (await reader.read('/proc/self/cpuset')) ?? (cpuset ?? pids)?.path ?? null,
      pidsMax: (await tightest(reader, ofOwn(pids), 'pids.max', 'pids.max'))?.value ?? null,
      memoryMaxBytes: (await tightest(reader, ofOwn(memory), 'memory.max', 'memory.limit_in_bytes'))?.value ?? null,
      cpuQuotaMilli: (await cpuQuota(reader, ofOwn(cpu)))?.value ?? null,
      pidsChain: await pidsChain(reader, pids),
    },
  }
}

function ofOwn(group: Group | null | undefined): Group | null {
  return group === null || group === undefined ? null : { ...group, chain: group.ownChain }
}

const CHAIN_SHOWN = 32
/** far deeper than any system nests its groups; a limit below it is not seen */
const DEPTH_READ = 64

async function pidsChain(reader: HostReader, group: Group | null | undefined): Promise<OwnLimits['pidsChain']> {
  if (group === null || group === undefined) return []
  const mount = group.ownChain.at(-1) ?? ''
  return Promise.all(
    group.ownChain.slice(-CHAIN_SHOWN).map(async (dir) => ({
      cgroup: (dir.slice(mount.length) || '/').slice(0, 1024),
      pidsMax: (await reader.read(`${dir}/pids.max`))?.slice(0, 32) ?? null,
    })),
  )
}

/** A version 1 line counts only when that controller is mounted: mixed systems show `0::/` beside it. */
async function findGroup(reader: HostReader, controller: string): Promise<Group | null> {
  const lines = ((await reader.read('/proc/self/cgroup')) ?? '').split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const mounts = ((await reader.read('/proc/self/mounts')) ?? (await reader.read('/proc/mounts')) ?? '').split('\n').map((line) => line.split(' '))
  // kernels and mounts that know cpusets only under their own name
  const cpuset = controller === 'cpuset' ? await reader.read('/proc/self/cpuset') : null
  const v1 = lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2] ?? cpuset
  const isV1Mount = (type = '', options = ''): boolean =>
    (type === 'cgroup' && options.split(',').includes(controller)) || (type === 'cpuset' && type === controller)
  const v1Mount = mounts.find(([, , type, options]) => isV1Mount(type, options))?.[1]
  if (v1 !== null && v1Mount !== undefined) return groupAt(1, v1Mount, v1)
  const v2 = lines.find((line) => line?.[1] === '')?.[2] ?? cpuset
  const v2Mount = mounts.find(([, , type]) => type === 'cgroup2')?.[1]
  return v2 === null || v2Mount === undefined ? null : groupAt(2, v2Mount, v2)
}

/**
 * `/a/b` below `/sys/fs/cgroup`: that folder, `/a`, and the mount itself. A systemd unit at the end binds this agent alone
 * (TasksMax of a service is 15 % of the host's), and containers run beside it, not in it.
 */
function groupAt(version: 1 | 2, mount: string, path: string): Group {
  const all = path.split('/').filter((part) => part !== '' && part !== '..')
  const parts = all.length > DEPTH_READ ? all.slice(0, DEPTH_READ) : all
  const ownChain = Array.from({ length: parts.length + 1 }, (_, up) => [mount, ...parts.slice(0, parts.length - up)].join('/'))
  return { version, path: `/${parts.join('/')}`, ownChain, chain: /\.(service|scope)$/.test(parts.at(-1) ?? '') ? ownChain.slice(1) : ownChain }
}

async function tightest(
  reader: HostReader,
  group: Group | null | undefined,
  v2File: string,
  v1File: string,
): Promise<{ value: number; file: string } | null> {
  const chain: { readonly file: string; readonly text: string | null }[] = []
  for (const dir of group?.chain ?? []) {
    const file = `${dir}/${group?.version === 1 ? v1File : v2File}`
    chain.push({ file, text: await reader.read(file) })
  }
  const value = lowestLimit(chain.map(({ text }) => text))
  const holder = chain.find(({ text }) => text !== null && value !== null && lowestLimit([text]) === value)
  return value === null || holder === undefined ? null : { value, file: holder.file }
}

async function cpuQuota(reader: HostReader, group: Group | null | undefined): Promise<{ value: number; file: string } | null> {
  let best: { value: number; file: string } | null = null
  for (const dir of group?.chain ?? []) {
    const file = group?.version === 1 ? `${dir}/cpu.cfs_quota_us` : `${dir}/cpu.max`
    const text = group?.version === 1 ? `${await reader.read(file)} ${await reader.read(`${dir}/cpu.cfs_period_us`)}` : await reader.read(file)
    const match = /^(\d{1,12}) (\d{1,12})$/.exec(text ?? '')
    if (match === null || Number(match[2]) === 0) continue
    const value = Math.floor((Number(match[1]) * 1000) / Number(match[2]))
    if (best === null || value < best.value) best = { value, file }
  }
  return best
}

/** The nearest group that says anything: effective sets already hold what the groups above allow. */
async function allowedIds(
  reader: HostReader,
  group: Group | null | undefined,
  v2Files: readonly string[],
  v1Files: readonly string[],
): Promise<{ ids: readonly number[]; file: string } | null> {
  for (const dir of group?.chain ?? []) {
    for (const name of group?.version === 1 ? v1Files : v2Files) {
      const ids = parseIdList((await reader.read(`${dir}/${name}`)) ?? '')
      if (ids !== null && ids.length > 0) return { ids, file: `${dir}/${name}` }
    }
  }
  return null
}
