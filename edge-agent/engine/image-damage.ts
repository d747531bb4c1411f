/** A start that fails as damaged files do: the image is read back before anybody is told to check the command. */
import { cause } from '../../protocol/causes.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { Outcome } from '../core/model.ts'
import { LABELS } from './to-docker.ts'

/** What runc and the graph drivers say of files that are gone, empty or unreadable. */
const DAMAGE = /exec format error|no such file or directory|input\/output error|structure needs cleaning|not a directory|layer|failed to mount|permission denied/i

export interface Suspicion {
  suspect(id: string, image: string): Promise<string | null>
}

/** The outcome of the start; `image.damaged` instead when its image turns out to be. */
export async function startOrSuspect(images: Suspicion, start: () => Promise<Outcome>, inspect: () => Promise<unknown>): Promise<Outcome> {
  const outcome = await start()
  if (outcome.ok || outcome.cause.code !== 'container.start.failed' || !DAMAGE.test(outcome.cause.facts['why'] ?? '')) return outcome
  try {
    const seen = await inspect()
    if (!isRecord(seen) || typeof seen['Image'] !== 'string') return outcome
    const config = isRecord(seen['Config']) ? seen['Config'] : {}
    const labels = isRecord(config['Labels']) ? config['Labels'] : {}
    const image = String(labels[LABELS.image] ?? config['Image'] ?? seen['Image'])
    const why = await images.suspect(seen['Image'], image)
    return why === null ? outcome : { ok: false, cause: cause('image.damaged', { image, why }) }
  } catch {
    // the first answer stands
    return outcome
  }
}
