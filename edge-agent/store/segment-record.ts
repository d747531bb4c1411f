/** One record of a queue: length | crc32 | seq | acked | payload. The checksum covers everything but itself. */

export interface QueueRecord {
  readonly seq: number
  /** highest number that had been acknowledged when this was written */
  readonly acked: number
  readonly payload: Uint8Array
}

const HEADER = 24

export function encodeRecord(seq: number, acked: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(HEADER + payload.byteLength)
  bytes.writeUInt32LE(payload.byteLength, 0)
  bytes.writeBigUInt64LE(BigInt(seq), 8)
  bytes.writeBigUInt64LE(BigInt(acked), 16)
  bytes.set(payload, HEADER)
  bytes.writeUInt32LE(checksum(bytes), 4)
  return bytes
}

/** Records up to the first that is damaged or out of order. `whole` = nothing was left over. */
export function decodeRecords(file: Uint8Array, first: number): { readonly records: readonly QueueRecord[]; readonly whole: boolean } {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const records: QueueRecord[] = []
  let at = 0
  let expected = first
  while (at + HEADER <= bytes.byteLength) {
    const end = at + HEADER + bytes.readUInt32LE(at)
    if (end > bytes.byteLength) break
    const record = bytes.subarray(at, end)
    const seq = Number(record.readBigUInt64LE(8))
    if (record.readUInt32LE(4) !== checksum(record) || seq !== expected) break
    records.push({ seq, acked: Number(record.readBigUInt64LE(16)), payload: record.subarray(HEADER) })
    at = end
    expected += 1
  }
  return { records, whole: at === bytes.byteLength }
}

function checksum(record: Uint8Array): number {
  return crc32(crc32(0, record.subarray(0, 4)), record.subarray(8))
}

/** As in zlib; the one in node:zlib is younger than the oldest Node that runs an agent. */
function crc32(start: number, bytes: Uint8Array): number {
  let crc = ~start
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320
  return crc
})
