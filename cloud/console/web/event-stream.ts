/** Server-sent events over fetch: EventSource cannot send an Authorization header. */

export interface StreamEvent {
  readonly event: string
  readonly id: string
  readonly data: string
}

/** Calls back for each event until the stream ends; resolves then. Rejects when it breaks. */
export async function readEvents(body: ReadableStream<Uint8Array>, onEvent: (event: StreamEvent) => void): Promise<void> {
  const reader = textOf(body)
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    rest += value
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event !== null) onEvent(event)
    }
  }
}

/** A body as text, piece by piece. */
export function textOf(body: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<string> {
  return body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader()
}

/** One block of lines; null for a block of comments. */
export function parseBlock(block: string): StreamEvent | null {
  const fields = { event: 'message', id: '', data: '' }
  let seen = false
  for (const line of block.split('\n')) {
    const match = /^(event|id|data): ?(.*)$/.exec(line)
    if (match === null) continue
    const name = match[1] as keyof typeof fields
    fields[name] = name === 'data' && seen ? `${fields.data}\n${match[2] ?? ''}` : (match[2] ?? '')
    seen ||= name === 'data'
  }
  return seen ? fields : null
}
