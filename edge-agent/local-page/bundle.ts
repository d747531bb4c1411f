/**
 * The diagnostics bundle: one JSON document for the people who mend things far away. Secrets are kept out twice: only the
 * fields named here are taken, and every text of the desired state that is not among them is hidden wherever else it appears,
 * in logs and error texts too.
 */
import { promisify } from 'node:util'
import { clip, LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { Now, ObservedContainer } from '../core/model.ts'
import type { AgentState } from '../core/state.ts'
import type { PathStep } from '../ports.ts'
import { fieldView } from './view.ts'

export interface BundleParts {
  readonly state: AgentState
  readonly now: Now
  readonly agentLog: readonly string[]
  readonly logs: (target: string, lines: number) => Promise<string>
  readonly path: readonly PathStep[]
  /** passwords, PINs and keys that the agent was given */
  readonly secrets: readonly string[]
  readonly versions: Readonly<Record<string, string>>
}

const LOG_LINES = 200
const LOG_CHARS = 32_768
const LOGS_MAX = 40
const HIDDEN = '[hidden]'
/** shorter texts are ordinary words; a secret of five characters is none */
const SECRET_MIN = 6
const KEY_VALUE = /((?:password|passwd|secret|token|authorization|api[_-]?key)["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s"',;]+/gi

/** Gzipped JSON; never fails because one part cannot be had. */
export async function makeBundle(parts: BundleParts): Promise<Uint8Array> {
  const hide = hider(parts, JSON.stringify(publicDesired(parts.state)))
  const encode = (document: object): string =>
    JSON.stringify(document, (_key, value: unknown) => (typeof value === 'string' ? hide(value) : value), 1)
  const text = encode({ ...openParts(parts), logs: await containerLogs(parts) })
  // loaded when the first bundle is made: most agents never make one
  const { gzip } = await import('node:zlib')
  // a bundle that is too long to be sent helps nobody: the longest part goes
  if (Buffer.byteLength(text) > LIMITS.bundleBytes.value) return promisify(gzip)(encode({ ...openParts(parts), logs: 'left out: too long' }))
  return promisify(gzip)(text)
}

function openParts({ state, now, agentLog, path, versions }: BundleParts): Readonly<Record<string, unknown>> {
  const { knowledge, link, engine, storage, ledger, inventory, floor } = state
  return {
    made: new Date(now.wallMs).toISOString(),
    versions,
    device: state.device,
    session: state.sid,
    knowledge,
    floor,
    link,
    engine: { reachable: engine.reachable, info: engine.info, cause: engine.cause },
    storage,
    desired: publicDesired(state),
    observed: (state.observed ?? []).map(publicContainer),
    ledger,
    overrides: state.overrides,
    page: fieldView(state, now),
    inventory,
    path,
    agentLog: agentLog.map((line) => clip(line, 2_048)),
  }
}

function publicDesired({ desired }: AgentState): unknown {
  if (desired === null) return null
  const pods = desired.pods.map(({ uid, namespace, name, specHash, spec, placement }) => ({
    uid,
    namespace,
    name,
    specHash,
    placement,
    restartPolicy: spec.restartPolicy,
    containers: spec.containers.map((container) => ({
      name: container.name,
      image: withoutUser(container.image),
      env: (container.env ?? []).map((one) => one.name),
      ports: container.ports,
      resources: container.resources,
    })),
  }))
  return { epoch: desired.epoch, generation: desired.generation, issuedAt: desired.issuedAt, digest: desired.digest, pods }
}

function publicContainer(found: ObservedContainer): unknown {
  const { id, name, podUid, specHash, image, imageId, state, exitCode, oomKilled, startedAt, finishedAt, error, ip } = found
  return { id, name, podUid, specHash, image: withoutUser(image), imageId, state, exitCode, oomKilled, startedAt, finishedAt, error, ip }
}

async function containerLogs({ state, logs }: BundleParts): Promise<Readonly<Record<string, string>>> {
  const out: Record<string, string> = {}
  for (const { name } of (state.observed ?? []).slice(0, LOGS_MAX)) {
    try {
      out[name] = (await logs(name, LOG_LINES)).slice(-LOG_CHARS)
    } catch (error) {
      out[name] = `no log: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return out
}

/** What replaces every text that was not meant to be seen. */
function hider({ state, secrets }: BundleParts, open: string): (text: string) => string {
  const found = new Set(secrets)
  collect(state.desired, found)
  const hidden = [...found]
    .filter((text) => text.length >= SECRET_MIN && !open.includes(text))
    // a secret that holds another one goes first
    .toSorted((a, b) => b.length - a.length)
    // a line of the agent's log holds it in its escaped form
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
  return (text) => {
    let clean = text
    for (const secret of hidden) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN)
    return clean.replace(/(\/\/[^\s/@:"\\]*:)[^\s/@"\\]+@/g, `$1${HIDDEN}@`).replace(KEY_VALUE, `$1${HIDDEN}`)
  }
}

/** Every text below; many lines count one by one, since a log may show any of them. */
function collect(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    into.add(value)
    for (const line of value.split('\n')) into.add(line.trim())
    return
  }
  if (Array.isArray(value)) for (const one of value) collect(one, into)
  else if (isRecord(value)) for (const one of Object.values(value)) collect(one, into)
}

function withoutUser(image: string): string {
  return image.replace(/^[^/@]*@(?=[^/]*\/)/, '')
}
