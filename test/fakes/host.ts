/** A host made of `{ path: content }`, for the inventory's probes; also read out of a packed copy of a real one. */
import { gunzipSync } from 'node:zlib'
import { plainText } from '../../edge-agent/inventory/host-reader.ts'
import type { HostReader } from '../../edge-agent/ports.ts'

export type HostFiles = Readonly<Record<string, string>>

export function fakeHost(files: HostFiles, emptyNames: readonly string[] = []): HostReader {
  const folders = new Map<string, Set<string>>()
  for (const path of [...Object.keys(files), ...emptyNames]) {
    for (let end = path.lastIndexOf('/'); end >= 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end)
      const names = folders.get(folder) ?? new Set<string>()
      names.add(path.slice(end + 1).split('/')[0] ?? '')
      folders.set(folder, names)
      if (end === 0) break
    }
  }
  return {
    read: async (path) => (Object.hasOwn(files, path) ? (files[path] ?? null) : null),
    list: async (folder) => [...(folders.get(folder) ?? [])].filter((name) => name !== '').toSorted(),
    link: async () => null,
  }
}

const BLOCK = 512

/** Unpacking thousands of tiny files onto a disk takes far longer than reading them. Links and empty folders count as names only. */
export function packedHost(tarGz: Uint8Array): HostReader {
  const tar = gunzipSync(tarGz)
  const files: Record<string, string> = {}
  const names: string[] = []
  let longName: string | null = null
  for (let at = 0; at + BLOCK <= tar.byteLength && tar[at] !== 0;) {
    const size = Number.parseInt(text(tar, at + 124, 12), 8)
    const type = String.fromCharCode(tar[at + 156] ?? 0)
    const body = tar.subarray(at + BLOCK, at + BLOCK + size)
    const ustar = text(tar, at + 257, 6) === 'ustar' ? text(tar, at + 345, 155) : ''
    const name = longName ?? `${ustar === '' ? '' : `${ustar}/`}${text(tar, at, 100)}`
    const path = `/${name.replace(/^\.?\//, '').replace(/\/$/, '')}`
    if (type === 'L') longName = plainText(body)
    else if (type === 'x') longName = /\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1] ?? null
    else {
      longName = null
      if (type === '0' || type === '\0') files[path] = plainText(body)
      else names.push(path)
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return fakeHost(files, names)
}

function text(tar: Buffer, at: number, length: number): string {
  const field = tar.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}
