/** Reads a stream of JSON values, one a line, as the engine sends events and pull progress. Never keeps more than one line. */
import { StringDecoder } from 'node:string_decoder'

export interface LineHandlers {
  /** something arrived, whatever it is */
  bytes?(): void
  line(value: unknown): void
  /** once: null at a clean end, else why the stream broke */
  end(error: Error | null): void
}

/** Lines that are not JSON or longer than `maxChars` are skipped. */
export function readJsonLines(stream: NodeJS.ReadableStream, maxChars: number, handlers: LineHandlers): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let ended = false
  const end = (error: Error | null): void => {
    if (ended) return
    ended = true
    deliver(rest, handlers)
    handlers.end(error)
  }
  stream.on('data', (chunk: Buffer) => {
    handlers.bytes?.()
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxChars) rest = ''
    for (const line of lines) deliver(line, handlers)
  })
  stream.on('end', () => end(null))
  stream.on('error', (error: Error) => end(error))
  // a reset while the body is read may close without an error
  stream.on('close', () => end(new Error('the engine closed the connection')))
}

function deliver(line: string, handlers: LineHandlers): void {
  if (line.trim() === '') return
  try {
    handlers.line(JSON.parse(line))
  } catch {
    // not ours to judge: an engine may write comments or half lines at its end
  }
}
