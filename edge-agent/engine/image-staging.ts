/**
 * Blobs on their way: a download goes on where the last attempt stopped, also after a power cut. INVARIANTS
 * - A file without `.part` was read back whole and has its digest; one with it is worth nothing but its length.
 * - One blob is written by one download at a time: the caller sees to it.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Blob } from './image-manifest.ts'
import { RegistryError } from './image-registry.ts'
import type { RegistryClient } from './image-registry.ts'
import { sliceOf } from '../core/pull-rate.ts'
import type { PullPace, RateNow } from './pull-pace.ts'

export interface BlobSource {
  readonly registry: RegistryClient
  readonly repository: string
  readonly pace: PullPace
  readonly rate: RateNow
}

export interface Staging {
  /** the file with the whole blob; rejects when the connection breaks, keeping what came */
  fetch(from: BlobSource, blob: Blob, onBytes: (done: number) => void, signal: AbortSignal): Promise<string>
  /** bytes of it that are here already */
  held(blob: Blob): Promise<number>
  drop(blob: Blob): Promise<void>
  /** forgets everything: nobody waits for it any more */
  clear(): Promise<void>
}

export function createStaging(dir: string): Staging {
  const fileOf = ({ digest }: Blob): string => path.join(dir, digest.replace(':', '-'))
  const sizeOf = (file: string): Promise<number | null> =>
    stat(file).then(
      ({ size }) => size,
      () => null,
    )

  return {
    fetch: async ({ registry, repository, pace, rate }, blob, onBytes, signal) => {
      const file = fileOf(blob)
      const part = `${file}.part`
      if ((await sizeOf(file)) === blob.size) return file
      await mkdir(dir, { recursive: true, mode: 0o700 })
      let held = (await sizeOf(part)) ?? 0
      if (held > blob.size) held = 0
      while (held < blob.size) {
        const now = rate()
        const bytes = now === null ? undefined : Math.min(sliceOf(now), blob.size - held)
        const answer = await registry.blob(repository, blob.digest, held, signal, bytes)
        const from = answer.from
        held = from
        onBytes(held)
        const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
          for await (const piece of pace.pass(source, rate, answer.held)) {
            held += piece.length
            if (held > blob.size) throw new Error('the registry sends more than the manifest says')
            onBytes(held)
            yield piece
          }
        }
        await pipeline(answer.stream, counted, createWriteStream(part, from > 0 ? { flags: 'r+', start: from } : { flags: 'w' }), { signal })
        if (held === from) throw new RegistryError({ status: null, code: null, text: 'the registry sent nothing of a layer' })
      }
      await finish(part, file, blob)
      return file
    },
    held: async (blob) => (await sizeOf(fileOf(blob))) ?? (await sizeOf(`${fileOf(blob)}.part`)) ?? 0,
    drop: async (blob) => {
      await rm(fileOf(blob), { force: true })
      await rm(`${fileOf(blob)}.part`, { force: true })
    },
    clear: async () => {
      for (const name of await readdir(dir).catch(() => [])) await rm(path.join(dir, name), { force: true })
    },
  }
}

/** Read back from the disk: what a power cut or a bad card made of it is found here, not in the engine. */
async function finish(part: string, file: string, { digest }: Blob): Promise<void> {
  const handle = await open(part, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer)
  if (`sha256:${hash.digest('hex')}` !== digest) {
    await rm(part, { force: true })
    throw new RegistryError({ status: null, code: null, text: `a layer arrived damaged (${digest.slice(0, 19)}); it is fetched again` })
  }
  await rename(part, file)
}
