/** What the cloud asks of the device itself: its diagnostics, or that the agent starts anew. */
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, exitStatus, frame } from '../../protocol/session.ts'
import type { DeviceAct } from '../../protocol/session.ts'
import type { Meter } from './meter.ts'
import { send } from './send.ts'

/** Resolves with the Status to end with. Rejects when the diagnostics cannot be made. */
export async function runAct(
  socket: Duplex,
  what: DeviceAct,
  { bundle }: { bundle(): Promise<Uint8Array> },
  meter: Meter,
): Promise<Readonly<Record<string, unknown>>> {
  // at once: the way to the cloud is tried for the bundle, which takes a while
  await send(socket, frame(CHANNEL.ready))
  if (what === 'restart-agent') return exitStatus(null)
  const bytes = await bundle()
  for (let at = 0; at < bytes.byteLength; at += LIMITS.sessionChunkBytes.value) {
    const chunk = bytes.subarray(at, at + LIMITS.sessionChunkBytes.value)
    meter.add(chunk.byteLength)
    await send(socket, frame(CHANNEL.stdout, chunk))
  }
  return exitStatus(null)
}
