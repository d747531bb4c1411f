/** Writes a copy of a machine as a tar archive: files, links and empty folders, all of time 0, so that equal copies are equal bytes. */
import path from 'node:path'
import type { Copy } from './recorder.ts'

const BLOCK = 512

export function toTar({ files, links, names }: Copy): Buffer {
  const parts: Buffer[] = []
  const entries = [
    ...Object.entries(files).map(([name, text]) => ({ name, type: '0', body: Buffer.from(`${text}\n`), target: '' })),
    // relative to where the link lies, so that an unpacked copy never leads out of its folder
    ...Object.entries(links).map(([name, target]) => ({
      name,
      type: '2',
      body: Buffer.alloc(0),
      target: path.posix.relative(path.posix.dirname(name), target),
    })),
    ...names.map((name) => ({ name: `${name}/`, type: '5', body: Buffer.alloc(0), target: '' })),
  ]
  for (const { name, type, body, target } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = name.replace(/^\//, '')
    if (Buffer.byteLength(inside) > 100) parts.push(...long('L', inside))
    if (Buffer.byteLength(target) > 100) parts.push(...long('K', target))
    parts.push(header(inside, type, body.byteLength, target), padded(body))
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

/** GNU's way to write what does not fit a header */
function long(type: string, text: string): readonly Buffer[] {
  const body = Buffer.from(`${text}\0`)
  return [header('././@LongLink', type, body.byteLength, ''), padded(body)]
}

function header(name: string, type: string, size: number, target: string): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`
  block.write(name.slice(0, 100), 0)
  block.write(octal(type === '5' ? 0o755 : 0o644, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(0, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(type, 156)
  block.write(target.slice(0, 100), 157)
  block.write('ustar  \0', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.byteLength % BLOCK)) % BLOCK)])
}
