/** The last lines of a log that ends. The engine counts lines before it looks at times, so for earlier runs they are counted here. */
import { LIMITS } from '../../protocol/limits.ts'
import type { EngineChunk } from './stream-frames.ts'

/** Holds at most the table's bytes of one client message; older lines than fit are left out. */
export async function* lastLines(chunks: AsyncIterable<EngineChunk>, lines: number): AsyncGenerator<EngineChunk> {
  const kept: Uint8Array[] = []
  let size = 0
  for await (const { bytes } of chunks) {
    kept.push(bytes)
    size += bytes.length
    while (size - (kept[0]?.length ?? 0) > LIMITS.sessionClientBytes.value) size -= kept.shift()?.length ?? 0
  }
  const all = Buffer.concat(kept)
  const end = all.at(-1) === NEW_LINE ? all.length - 1 : all.length
  let from = end
  for (let left = lines; left > 0 && from >= 0; left -= 1) from = from === 0 ? -1 : all.lastIndexOf(NEW_LINE, from - 1)
  if (lines > 0 && all.length > 0) yield { stream: 1, bytes: all.subarray(from + 1) }
}

const NEW_LINE = 10
