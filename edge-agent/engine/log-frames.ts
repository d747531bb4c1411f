/**
 * Container log bytes -> text. Without a terminal the engine frames both streams: 1 byte stream, 3 zero bytes, 4 bytes
 * length, then the payload; with a terminal the bytes come as they are.
 */
export function readLogFrames(bytes: Buffer): string {
  if (!isFramed(bytes)) return bytes.toString('utf8')
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4)
    parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}

function isFramed(bytes: Buffer): boolean {
  return bytes.length >= 8 && (bytes[0] ?? 9) <= 2 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0
}
