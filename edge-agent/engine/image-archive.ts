/**
 * An image as `docker load` takes it. Layers that the engine already has are named but not sent: it looks for a layer by the
 * chain of layers below it first, and reads the archive only when it has none.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

export interface ImageArchive {
  readonly config: Buffer
  /** sha256 of the config in hex */
  readonly id: string
  /** one a layer: the file with its bytes, or null when the engine has it */
  readonly layers: readonly (string | null)[]
  readonly tags: readonly string[]
}

export function imageArchive({ config, id, layers, tags }: ImageArchive): Readable {
  const names = layers.map((_, index) => `layer-${index}.tar`)
  const manifest = Buffer.from(JSON.stringify([{ Config: `${id}.json`, RepoTags: tags, Layers: names }]))
  async function* parts(): AsyncGenerator<Buffer> {
    yield* entry(`${id}.json`, config)
    for (const [index, file] of layers.entries()) {
      if (file === null) continue
      const { size } = await stat(file)
      yield header(names[index] ?? '', size)
      for await (const chunk of createReadStream(file)) yield chunk as Buffer
      yield padding(size)
    }
    yield* entry('manifest.json', manifest)
    yield Buffer.alloc(2 * BLOCK)
  }
  return Readable.from(parts(), { objectMode: false })
}

const BLOCK = 512

function* entry(name: string, body: Buffer): Generator<Buffer> {
  yield header(name, body.length)
  yield body
  yield padding(body.length)
}

/** A ustar header of a plain file. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 100)
  block.write('0000644\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  block.write(sizeField(size), 124, 'latin1')
  block.write('00000000000\0', 136)
  block.write('        ', 148)
  block.write('0', 156)
  block.write('ustar\u000000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Octal up to 8 GiB, then base 256 as GNU tar writes it. */
function sizeField(size: number): string {
  if (size < 8 ** 11) return `${size.toString(8).padStart(11, '0')}\0`
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64BE(BigInt(size), 4)
  bytes[0] = 0x80
  return bytes.toString('latin1')
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
