/**
 * A short text as a QR code (ISO/IEC 18004): byte mode, error correction M, versions 1 to 6, which hold 106 bytes. That is enough for
 * an address, and spares a library. Pure.
 */

/** By version: data bytes of one block, check bytes of one block, blocks. All blocks of these versions are alike. */
const BLOCKS: readonly (readonly [data: number, check: number, blocks: number])[] = [
  [16, 10, 1],
  [28, 16, 1],
  [44, 26, 1],
  [32, 18, 2],
  [43, 24, 2],
  [27, 16, 4],
]

/** Rows of modules, true = dark; null when the text is too long. */
export function qrCode(text: string): readonly (readonly boolean[])[] | null {
  const bytes = new TextEncoder().encode(text)
  // four bits of mode and eight of length go before the text
  const version = BLOCKS.findIndex(([data, , blocks]) => bytes.length + 2 <= data * blocks) + 1
  if (version === 0) return null
  const field = emptyField(version)
  placeBits(field, codewords(bytes, version))
  const masked = MASKS.map((mask, number) => withFormat(field, mask, number))
  return masked.reduce((best, one) => (penalty(one) < penalty(best) ? one : best))
}

function codewords(text: Uint8Array, version: number): readonly number[] {
  const [data = 0, check = 0, blocks = 0] = BLOCKS[version - 1] ?? []
  const bits: number[] = []
  const put = (value: number, width: number): void => {
    for (let at = width - 1; at >= 0; at -= 1) bits.push((value >> at) & 1)
  }
  put(0b0100, 4)
  put(text.length, 8)
  for (const byte of text) put(byte, 8)
  put(0, 4)
  const bytes: number[] = []
  for (let at = 0; at < bits.length; at += 8) bytes.push(bits.slice(at, at + 8).reduce((sum, bit) => sum * 2 + bit, 0))
  for (let at = 0; bytes.length < data * blocks; at += 1) bytes.push(at % 2 === 0 ? 0xec : 0x11)
  const parts = Array.from({ length: blocks }, (_, at) => bytes.slice(at * data, (at + 1) * data))
  const checks = parts.map((part) => checkBytes(part, check))
  const across = (lists: readonly (readonly number[])[], length: number): readonly number[] =>
    Array.from({ length }, (_, at) => lists.map((list) => list[at] ?? 0)).flat()
  return [...across(parts, data), ...across(checks, check)]
}

/** Reed-Solomon over GF(256) with 0x11d. */
function checkBytes(data: readonly number[], count: number): readonly number[] {
  let generator: number[] = [1]
  let root = 1
  for (let at = 0; at < count; at += 1) {
    const next = [...generator, 0]
    generator.forEach((factor, place) => {
      next[place + 1] = (next[place + 1] ?? 0) ^ times(factor, root)
    })
    generator = next
    root = times(root, 2)
  }
  const rest = [...data, ...Array.from({ length: count }, () => 0)]
  for (let at = 0; at < data.length; at += 1) {
    const lead = rest[at] ?? 0
    if (lead === 0) continue
    generator.forEach((factor, place) => {
      rest[at + place] = (rest[at + place] ?? 0) ^ times(factor, lead)
    })
  }
  return rest.slice(data.length)
}

function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d)
    if (((b >> bit) & 1) === 1) product ^= a
  }
  return product
}

interface Field {
  readonly size: number
  /** dark; undefined = belongs to the data and is not written yet */
  readonly modules: (boolean | undefined)[][]
  /** modules that hold data: these are masked */
  readonly data: boolean[][]
}

function emptyField(version: number): Field {
  const size = 17 + 4 * version
  const modules: (boolean | undefined)[][] = Array.from({ length: size }, () => Array.from({ length: size }, () => undefined))
  const set = (x: number, y: number, dark: boolean): void => {
    const row = modules[y]
    if (row !== undefined && x >= 0 && x < size) row[x] = dark
  }
  const square = (cx: number, cy: number, radius: number, dark: (far: number) => boolean): void => {
    for (let dy = -radius; dy <= radius; dy += 1)
      for (let dx = -radius; dx <= radius; dx += 1) set(cx + dx, cy + dy, dark(Math.max(Math.abs(dx), Math.abs(dy))))
  }
  for (let at = 0; at < size; at += 1) {
    set(at, 6, at % 2 === 0)
    set(6, at, at % 2 === 0)
  }
  for (const [cx, cy] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    square(cx, cy, 4, (far) => far !== 2 && far !== 4)
  if (version > 1) square(size - 7, size - 7, 2, (far) => far !== 1)
  for (const [x, y] of formatPlaces(size).flat()) set(x, y, false)
  set(8, size - 8, true)
  return { size, modules, data: modules.map((row) => row.map((module) => module === undefined)) }
}

/** From the right, two columns at a time, up and down in turn; column 6 is left out. */
function placeBits({ size, modules }: Field, bytes: readonly number[]): void {
  let bit = 0
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5
    const up = ((right + 1) & 2) === 0
    for (let step = 0; step < size; step += 1)
      for (const x of [right, right - 1]) {
        const row = modules[up ? size - 1 - step : step]
        if (row === undefined || row[x] !== undefined) continue
        row[x] = (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1
        bit += 1
      }
  }
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

function withFormat({ size, modules, data }: Field, mask: (x: number, y: number) => boolean, number: number): readonly (readonly boolean[])[] {
  const out = modules.map((row, y) => row.map((module, x) => (module === true) !== (data[y]?.[x] === true && mask(x, y))))
  // level M is 00
  let rest = number
  for (let at = 0; at < 10; at += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const bits = ((number << 10) | rest) ^ 0x5412
  for (const places of formatPlaces(size))
    places.forEach(([x, y], at) => {
      const row = out[y]
      if (row !== undefined) row[x] = ((bits >> at) & 1) === 1
    })
  return out
}

/** Both places of the format, the lowest bit first. */
function formatPlaces(size: number): readonly (readonly (readonly [x: number, y: number])[])[] {
  const bits = Array.from({ length: 15 }, (_, at) => at)
  return [
    bits.map((at) => (at < 6 ? [8, at] : at === 6 ? [8, 7] : at === 7 ? [8, 8] : at === 8 ? [7, 8] : [14 - at, 8]) as readonly [number, number]),
    bits.map((at) => (at < 8 ? [size - 1 - at, 8] : [8, size - 15 + at]) as readonly [number, number]),
  ]
}

/** Lower is easier to read; the four rules of the standard. */
function penalty(rows: readonly (readonly boolean[])[]): number {
  const size = rows.length
  const columns = rows.map((_, x) => rows.map((row) => row[x] === true))
  let sum = 0
  for (const line of [...rows, ...columns]) {
    const text = line.map((dark) => (dark ? '1' : '0')).join('')
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2
    for (let at = 0; at + 11 <= size; at += 1) if (/^(?:10111010000|00001011101)/.test(text.slice(at, at + 11))) sum += 40
  }
  for (let y = 0; y + 1 < size; y += 1)
    for (let x = 0; x + 1 < size; x += 1) {
      const one = rows[y]?.[x]
      if (one === rows[y]?.[x + 1] && one === rows[y + 1]?.[x] && one === rows[y + 1]?.[x + 1]) sum += 3
    }
  const dark = rows.flat().filter(Boolean).length
  return sum + Math.floor(Math.abs((dark * 20) / (size * size) - 10)) * 10
}
