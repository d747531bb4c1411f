/** Reads the inventory through a reader that remembers all it was asked: the smallest copy of a machine that reads the same. */
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { createInventoryReader } from '../../edge-agent/inventory/collect.ts'
import { createHostReader } from '../../edge-agent/inventory/host-reader.ts'
import type { HostReader } from '../../edge-agent/ports.ts'
import { withoutSecrets } from './redact.ts'

export interface Copy {
  /** path -> content */
  readonly files: Readonly<Record<string, string>>
  /** path -> absolute target inside the copy */
  readonly links: Readonly<Record<string, string>>
  /** listed, and nothing below it was read */
  readonly names: readonly string[]
}

/** @param root `/`, or a copy to make a smaller copy of */
export async function recordMachine(root: string): Promise<Copy> {
  const files = new Map<string, string>()
  const links = new Map<string, string>()
  const names = new Set<string>()
  const reader = createHostReader(root)
  const recorder: HostReader = {
    async read(file) {
      const text = await reader.read(file)
      if (text !== null) files.set(file, withoutSecrets(file, text))
      return text
    },
    async list(dir) {
      const found = await reader.list(dir)
      for (const name of found) names.add(`${dir}/${name}`)
      return found
    },
    async link(file) {
      const target = await reader.link(file)
      if (target !== null) links.set(file, await realTarget(root, file, target))
      return target
    },
  }
  const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
  await createInventoryReader({ device: 'copy', agentVersion: '0', clock, engine: () => null, reader: recorder }).collect()
  // what a reader of the copy asks instead of the running system
  await recorder.read('/proc/meminfo')
  return joined(files, links, names)
}

/** Where a link leads on this machine; only the name is kept of one that leads nowhere or out of the root. */
async function realTarget(root: string, file: string, target: string): Promise<string> {
  const real = await fs.realpath(path.join(root, file)).catch(() => null)
  const top = await fs.realpath(root)
  const inside = real === null ? null : path.posix.join('/', path.relative(top, real))
  return inside === null || inside.startsWith('/..') ? `/absent/${path.posix.basename(target)}` : inside
}

/** Files that were read through a link lie where it leads: a path is either a link or a folder. */
function joined(files: ReadonlyMap<string, string>, links: ReadonlyMap<string, string>, names: ReadonlySet<string>): Copy {
  const settle = (name: string): string => {
    for (let end = name.indexOf('/', 1); end > 0; end = name.indexOf('/', end + 1)) {
      const target = links.get(name.slice(0, end))
      if (target !== undefined) return target + name.slice(end)
    }
    return name
  }
  const settled = Object.fromEntries([...files].map(([name, text]) => [settle(name), text]))
  const settledLinks = Object.fromEntries([...links].map(([name, target]) => [settle(name), target]))
  const taken = [...Object.keys(settled), ...Object.keys(settledLinks)]
  const parents = new Set(taken.flatMap((name) => parentsOf(name)))
  const bare = [...names].map(settle).filter((name) => !parents.has(name) && !Object.hasOwn(settled, name) && !Object.hasOwn(settledLinks, name))
  return { files: settled, links: settledLinks, names: bare.toSorted() }
}

function parentsOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.map((_, count) => parts.slice(0, count).join('/')).filter((parent) => parent !== '')
}
