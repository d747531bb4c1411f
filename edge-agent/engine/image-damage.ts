/**
 * Programs that end as damaged files make them end, or whose image was fetched just before the power went: before the next start the
 * image is read back, so that nothing runs with files that are not what they were, and nobody is told to
 * check a command that is right. Asked only of containers that failed at once, so that an ordinary start costs one inspect, and the first
 * one of a container none.
 */
import { cause } from '../../protocol/causes.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { Outcome } from '../core/model.ts'
import { LABELS } from './to-docker.ts'

/** What runc, the loader and the graph drivers say of files that are gone, empty or unreadable. */
const DAMAGE = new RegExp(
  [
    'exec format error|no such file or directory|permission denied|not a directory|not found',
    'input/output error|structure needs cleaning|layer|failed to mount|cannot open shared object|invalid ELF',
  ].join('|'),
  'i',
)
/** not executable, not found, and the signals of code that is not what it was: ILL, BUS, SEGV */
const DAMAGE_CODES: ReadonlySet<unknown> = new Set([126, 127, 132, 135, 139])
/** a program whose files are damaged does not run for long */
const SHORT_MS = 5_000

export interface Suspicion {
  /** what is wrong with the image, or null */
  suspect(id: string, image: string): Promise<string | null>
  /** the same, and it is read only when the power may have gone before it was on the disk */
  doubted(id: string, image: string): Promise<string | null>
}

export interface Suspect {
  start(): Promise<Outcome>
  inspect(): Promise<unknown>
  /** false = it was made just now */
  readonly ranBefore: boolean
  /** the end of its log */
  lastWords(): Promise<string>
}

/** The outcome of the start; `image.damaged` instead when its image turns out to be. */
export async function startOrSuspect(images: Suspicion, container: Suspect): Promise<Outcome> {
  const look = (): Promise<unknown> => container.inspect().catch(() => null)
  const before = container.ranBefore ? await look() : null
  const lost = await damageOf((id, image) => images.doubted(id, image), before)
  if (lost !== null) return lost
  const suspect: Suspicion['suspect'] = (id, image) => images.suspect(id, image)
  if (await endedAsDamaged(before, container)) {
    const damaged = await damageOf(suspect, before)
    if (damaged !== null) return damaged
  }
  const outcome = await container.start()
  if (outcome.ok || outcome.cause.code !== 'container.start.failed' || !DAMAGE.test(outcome.cause.facts['why'] ?? '')) return outcome
  return (await damageOf(suspect, before ?? (await look()))) ?? outcome
}

async function endedAsDamaged(seen: unknown, container: Suspect): Promise<boolean> {
  const state = isRecord(seen) && isRecord(seen['State']) ? seen['State'] : {}
  if (state['Status'] !== 'exited' || state['ExitCode'] === 0) return false
  const ranMs = Date.parse(String(state['FinishedAt'])) - Date.parse(String(state['StartedAt']))
  if (!(ranMs < SHORT_MS)) return false
  return DAMAGE_CODES.has(state['ExitCode']) || DAMAGE.test(await container.lastWords().catch(() => ''))
}

async function damageOf(ask: Suspicion['suspect'], seen: unknown): Promise<Outcome | null> {
  if (!isRecord(seen) || typeof seen['Image'] !== 'string') return null
  const config = isRecord(seen['Config']) ? seen['Config'] : {}
  const labels = isRecord(config['Labels']) ? config['Labels'] : {}
  const named = labels[LABELS.image] ?? config['Image']
  const image = typeof named === 'string' ? named : seen['Image']
  // an engine that does not answer says nothing about the image
  const why = await ask(seen['Image'], image).catch(() => null)
  return why === null ? null : { ok: false, cause: cause('image.damaged', { image, why }) }
}
