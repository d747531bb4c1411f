/** A host made of `{ path: content }`, for the inventory's probes; also read out of a packed copy of a real one. */
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { plainText } from '../../edge-agent/inventory/host-reader.ts'
import type { HostReader } from '../../edge-agent/ports.ts'

export type HostFiles = Readonly<Record<string, string>>

/** @param links path -> target, relative or absolute; a target that is not there still has its name */
export function fakeHost(files: HostFiles, emptyNames: readonly string[] = [], links: HostFiles = {}): HostReader {
  const folders = new Map<string, Set<string>>()
  for (const name of [...Object.keys(files), ...emptyNames, ...Object.keys(links)]) {
    for (let end = name.lastIndexOf('/'); end >= 0; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end)
      const names = folders.get(folder) ?? new Set<string>()
      names.add(name.slice(end + 1).split('/')[0] ?? '')
      folders.set(folder, names)
      if (end === 0) break
    }
  }
  const follow = (name: string, hops = 0): string => {
    if (hops > 16) return name
    const parts = name.split('/').filter((part) => part !== '')
    for (let count = 1; count <= parts.length; count += 1) {
      const prefix = `/${parts.slice(0, count).join('/')}`
      const target = Object.hasOwn(links, prefix) ? links[prefix] : undefined
      if (target !== undefined) return follow(path.posix.resolve(path.posix.dirname(prefix), target, ...parts.slice(count)), hops + 1)
    }
    return `/${parts.join('/')}`
  }
  const own = (name: string): string | null => (Object.hasOwn(files, name) ? (files[name] ?? null) : null)
  return {
    read: async (name) => own(name) ?? own(follow(name)),
    list: async (folder) => [...(folders.get(folder === '/' ? '' : follow(folder)) ?? [])].filter((name) => name !== '').toSorted(),
    link: async (name) => {
      // the last part is the link itself, the way to it is followed
      const at = `${follow(path.posix.dirname(name))}/${path.posix.basename(name)}`
      return Object.hasOwn(links, at) ? (links[at] ?? null) : null
    },
  }
}

const BLOCK = 512

/** Unpacking thousands of tiny files onto a disk takes far longer than reading them. */
export function packedHost(tarGz: Uint8Array): HostReader {
  const tar = gunzipSync(tarGz)
  const files: Record<string, string> = {}
  const links: Record<string, string> = {}
  const names: string[] = []
  let longName: string | null = null
  let longTarget: string | null = null
  for (let at = 0; at + BLOCK <= tar.byteLength && tar[at] !== 0;) {
    const size = Number.parseInt(text(tar, at + 124, 12), 8)
    const type = String.fromCharCode(tar[at + 156] ?? 0)
    const body = tar.subarray(at + BLOCK, at + BLOCK + size)
    const ustar = text(tar, at + 257, 6) === 'ustar' ? text(tar, at + 345, 155) : ''
    const name = longName ?? `${ustar === '' ? '' : `${ustar}/`}${text(tar, at, 100)}`
    const target = longTarget ?? text(tar, at + 157, 100)
    const place = `/${name.replace(/^\.?\//, '').replace(/\/$/, '')}`
    if (type === 'L') longName = plainText(body)
    else if (type === 'K') longTarget = plainText(body)
    else if (type === 'x') {
      longName = /\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1] ?? null
      longTarget = /\d+ linkpath=([^\n]*)\n/.exec(body.toString('utf8'))?.[1] ?? null
    } else {
      longName = null
      longTarget = null
      if (type === '0' || type === '\0') files[place] = plainText(body)
      else if (type === '1') files[place] = files[`/${target.replace(/^\.?\//, '')}`] ?? ''
      else if (type === '2') links[place] = target
      else names.push(place)
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return fakeHost(files, names, links)
}

function text(tar: Buffer, at: number, length: number): string {
  const field = tar.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}
