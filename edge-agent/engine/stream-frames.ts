/**
 * Bytes of an attached container as they arrive -> chunks with their stream. Without a terminal the engine frames both
 * streams: 1 byte stream, 3 zero bytes, 4 bytes length, payload; a payload is passed on as it comes, never collected.
 */
export interface EngineChunk {
  /** 1 = standard output, 2 = standard error */
  readonly stream: 1 | 2
  readonly bytes: Uint8Array
}

const HEADER = 8

/** @param framed false with a terminal: everything is standard output */
export async function* engineChunks(source: AsyncIterable<Uint8Array>, framed: boolean): AsyncGenerator<EngineChunk> {
  let head: Buffer = Buffer.alloc(0)
  let stream: 1 | 2 = 1
  let left = 0
  for await (const piece of source) {
    if (!framed) {
      yield { stream: 1, bytes: piece }
      continue
    }
    let rest: Buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    while (rest.length > 0) {
      if (left > 0) {
        const bytes = rest.subarray(0, left)
        left -= bytes.length
        rest = rest.subarray(bytes.length)
        yield { stream, bytes }
        continue
      }
      const missing = HEADER - head.length
      head = Buffer.concat([head, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (head.length < HEADER) break
      stream = head[0] === 2 ? 2 : 1
      left = head.readUInt32BE(4)
      head = Buffer.alloc(0)
    }
  }
}
