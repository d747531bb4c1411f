/**
 * `Volumes` on the file system. Two roots: one on the disk (ConfigMaps, emptyDir), one on a tmpfs for everything that holds a
 * Secret; the agent mounts nothing itself, so that it needs a tmpfs that is there: /run, else /dev/shm, both checked. A
 * restart of the device empties it, and files are made again before a container starts. INVARIANTS: calls for one pod run
 * one after another; nothing is removed but a folder named by a pod's uid below a root; links are never followed on removal.
 */
import type { DevicePolicy, LocalSettings, PodVolumes } from '../core/pod-model.ts'
import { access, chmod, chown, constants, mkdir, readdir, realpath, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cause } from '../../protocol/causes.ts'
import { clip } from '../../protocol/limits.ts'
import { hostPathRule } from '../core/device-policy.ts'
import type { Outcome } from '../core/model.ts'
import { folderOf } from '../core/pod-mounts.ts'
import type { Volumes } from '../ports.ts'
import { writeFileFolder } from './file-folder.ts'

const TMPFS = 0x01021994
const RAMFS = 0x858458f6
const UID = /^[A-Za-z0-9-]{1,64}$/

type Roots = NonNullable<LocalSettings['roots']>

/** The first of these folders that is never on disk and may be written, or null. */
export async function memoryFolder(tried: readonly string[] = ['/run', '/dev/shm']): Promise<string | null> {
  for (const folder of tried) {
    const type = await access(folder, constants.W_OK)
      .then(() => statfs(folder))
      .then(
        (found) => found.type,
        () => 0,
      )
    if (type === TMPFS || type === RAMFS) return folder
  }
  return null
}

export function createVolumes(roots: Roots, policy: DevicePolicy, policyFile: string): Volumes {
  const inTurn = turns()
  const both = [roots.disk, ...(roots.memory === null ? [] : [roots.memory])]
  return {
    pods: async () => {
      try {
        const lists = await Promise.all(both.map(namesIn))
        return [...new Set(lists.flat())].filter((name) => UID.test(name))
      } catch {
        return null
      }
    },
    prepare: (volumes) => inTurn(volumes.podUid, () => prepare(volumes, roots, policy, policyFile)),
    drop: (podUid) =>
      inTurn(podUid, async () => {
        if (!UID.test(podUid)) return failed('all', `${podUid} is not a uid`)
        for (const root of both) await rm(join(root, podUid), { recursive: true, force: true })
        return { ok: true }
      }),
  }
}

async function prepare(volumes: PodVolumes, { disk, memory }: Roots, policy: DevicePolicy, policyFile: string): Promise<Outcome> {
  const { podUid, group } = volumes
  for (const root of [disk, ...(memory === null ? [] : [memory])]) await mkdir(join(root, podUid), { recursive: true, mode: 0o700 })
  for (const { volume, medium, files } of volumes.folders) {
    const root = medium === 'memory' ? memory : disk
    if (root === null) return { ok: false, cause: cause('volume.no-tmpfs', { tried: '/run, /dev/shm' }) }
    await writeFileFolder(folderOf(root, podUid, 'files', volume), files, group)
  }
  for (const volume of volumes.scratch) await scratchFolder(folderOf(disk, podUid, 'scratch', volume), group)
  for (const wanted of volumes.hostPaths) {
    const refused = await hostPath(wanted, policy, policyFile)
    if (refused !== null) return refused
  }
  return { ok: true }
}

/** Everybody in the pod may write, as in Kubernetes; new files belong to the group when there is one. */
async function scratchFolder(folder: string, group: number | null): Promise<void> {
  await mkdir(folder, { recursive: true })
  if (group !== null) await chown(folder, -1, group)
  await chmod(folder, group === null ? 0o777 : 0o2777)
}

/** The policy speaks of real places: a link below an allowed folder does not lead out of it. */
async function hostPath({ volume, path, type }: PodVolumes['hostPaths'][number], policy: DevicePolicy, policyFile: string): Promise<Outcome | null> {
  if (hostPathRule(path, policy) === null || path.split('/').includes('..')) return denied(path, policyFile)
  // what is made is made in a real place, too
  const parent = type.endsWith('OrCreate') ? await realpath(dirname(path)).catch(() => null) : dirname(path)
  if (parent === null) return failed(volume, `${dirname(path)} does not exist on the device`)
  if (type.endsWith('OrCreate') && hostPathRule(join(parent, basename(path)), policy) === null) return denied(parent, policyFile)
  const unmade = type.endsWith('OrCreate') ? await make(path, type) : null
  if (unmade !== null) return failed(volume, unmade)
  const real = await realpath(path).catch(() => null)
  if (real === null) return failed(volume, `${path} does not exist on the device`)
  if (hostPathRule(real, policy) === null) return denied(real, policyFile)
  const found = await stat(real)
  const is =
    type === 'Directory' || type === 'DirectoryOrCreate'
      ? found.isDirectory()
      : type === 'File' || type === 'FileOrCreate'
        ? found.isFile()
        : type === 'Socket'
          ? found.isSocket()
          : type === 'CharDevice'
            ? found.isCharacterDevice()
            : type !== 'BlockDevice' || found.isBlockDevice()
  return is ? null : failed(volume, `${path} is not a ${type}`)
}

/** For whoever is in the pod, whatever the agent's own umask is. @returns why it could not be made; null = it is there */
async function make(path: string, type: string): Promise<string | null> {
  try {
    // without `recursive`: with it Node says of a read-only file system that the path is not there
    if (type === 'DirectoryOrCreate') await mkdir(path)
    else await writeFile(path, '', { flag: 'wx' })
    await chmod(path, type === 'DirectoryOrCreate' ? 0o755 : 0o644)
    return null
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return code === 'EEXIST' ? null : `${path} cannot be made (${code})`
  }
}

function denied(path: string, file: string): Outcome {
  return { ok: false, cause: cause('policy.device.denied', { what: `host path ${path}`, file }) }
}

function failed(volume: string, why: string): Outcome {
  return { ok: false, cause: cause('volume.failed', { volume, why: clip(why) }) }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** One call after another for each key; an error of the file system is an outcome. Messages of files name paths, never contents. */
function turns(): (key: string, run: () => Promise<Outcome>) => Promise<Outcome> {
  const last = new Map<string, Promise<Outcome>>()
  return (key, run) => {
    const next = (last.get(key) ?? Promise.resolve({ ok: true as const }))
      .then(run)
      .catch((error: unknown) => failed('all', error instanceof Error ? error.message : String(error)))
    last.set(key, next)
    void next.then(() => {
      if (last.get(key) === next) last.delete(key)
    })
    return next
  }
}
