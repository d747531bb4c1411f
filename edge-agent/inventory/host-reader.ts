/** Reads small text files of the host (sysfs, procfs, /etc) below a root folder. What cannot be read is null. */
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { LIMITS } from '../../protocol/limits.ts'
import type { HostReader } from '../ports.ts'

export function createHostReader(root = '/'): HostReader {
  const at = (file: string): string => path.join(root, file)
  // links of a copied machine may point anywhere: what they name on this machine is not that machine's
  const inside = async (file: string): Promise<string> => {
    if (path.resolve(root) === '/') return at(file)
    const real = await fs.realpath(at(file))
    if (!real.startsWith(`${await fs.realpath(root)}/`)) throw new Error(`${file} leads out of ${root}`)
    return real
  }
  return {
    async read(file) {
      try {
        return plainText(await readStart(await inside(file)))
      } catch {
        return null
      }
    },
    async list(dir) {
      try {
        return (await fs.readdir(await inside(dir))).toSorted()
      } catch {
        return []
      }
    },
    async link(file) {
      try {
        return await fs.readlink(at(file))
      } catch {
        return null
      }
    },
  }
}

/** The length that sysfs and procfs declare is not the length they have: read until the end or the cap. */
async function readStart(file: string): Promise<Buffer> {
  const handle = await fs.open(file, 'r')
  try {
    const chunks: Buffer[] = []
    for (let left = LIMITS.hostFileBytes.value; left > 0;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(left, 4096)))
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      left -= bytesRead
    }
    return Buffer.concat(chunks)
  } finally {
    await handle.close()
  }
}

/** Copies of sysfs end in NULs; the device tree separates strings by them. */
export function plainText(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\0+$/, '').replaceAll('\0', '\n').trim()
}
