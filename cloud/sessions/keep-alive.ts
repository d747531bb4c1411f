/** Pings a WebSocket: a cable that was pulled says nothing, an unanswered ping does. */
import type { WebSocket } from 'ws'
import { LIMITS } from '../../protocol/limits.ts'

/** The result ends it. */
export function keepAlive(socket: WebSocket): () => void {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  const timer = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, LIMITS.sessionPingMs.value)
  return () => clearInterval(timer)
}
