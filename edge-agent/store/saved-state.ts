/** The form of the saved state on disk: version, migration forward, and a strict check. A wrong form is unknown, never empty. */
import type { SavedState } from '../core/saved-model.ts'
import { isCauseCode } from '../../protocol/causes.ts'
import { DESIRED_STATE } from '../../protocol/desired-state.ts'
import { readCron, SAVED_CRON } from './saved-cron.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { OVERRIDE_KIND } from '../../protocol/override.ts'
import { bool, int, isRecord, list, map, num, obj, parse, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import type { Decoded } from './durable-file.ts'
import { SAVED_UPDATES } from './saved-updates.ts'

/** What the file's body is: the saved state beside the version of its form. */
export interface StoredState extends SavedState {
  readonly v: number
}

const STATE_VERSION = 1
/** Element i turns form i+1 into form i+2. An agent reads every older form, and refuses newer ones. */
const MIGRATIONS: readonly ((old: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>)[] = []

const ENTRY = obj({
  failures: required(int()),
  restarts: required(int()),
  remainingMs: required(num()),
  countedExit: str({ max: 64 }),
  probed: obj({ startedAt: required(str({ max: 64 })), ready: required(bool()) }),
})

const TEXT = str({ min: 1, max: LIMITS.overrideTextLength.value })
const OVERRIDE = obj({
  id: required(str({ min: 1, max: 64 })),
  kind: required(OVERRIDE_KIND),
  pod: obj({ uid: required(str({ max: 64 })), namespace: required(str({ max: 63 })), name: required(str({ max: 253 })) }),
  owner: required(TEXT),
  reason: required(TEXT),
  sinceWallMs: required(num()),
  remainingMs: required(num()),
  restarts: required(map(str({ max: 64 }), { max: LIMITS.containersPerPod.value * 4 })),
})

const EVICTED = obj({ code: required(str({ max: 128 })), facts: map(str({ max: 1024 }), { max: 16 }) })

const STORED = obj({
  v: required(int(STATE_VERSION, STATE_VERSION)),
  desired: DESIRED_STATE,
  floor: obj({ epoch: required(int(1)), generation: required(int(1)) }),
  ledger: required(map(ENTRY, { max: LIMITS.ledgerEntries.value })),
  // younger than the form: an agent that does not know it reads on without it
  evicted: map(EVICTED, { max: LIMITS.podsPerDevice.value }),
  overrides: list(OVERRIDE, { max: LIMITS.overridesKept.value }),
  updates: SAVED_UPDATES,
  contact: obj({ aloneMs: required(num()), wallMs: num() }),
  clock: obj({ wallMs: required(num()) }),
  cron: SAVED_CRON,
})

export function toStored(state: SavedState): StoredState {
  return {
    v: STATE_VERSION,
    desired: state.desired,
    floor: state.floor,
    ledger: state.ledger,
    ...(state.overrides === undefined ? {} : { overrides: state.overrides }),
    ...(state.updates === undefined ? {} : { updates: state.updates }),
    ...(state.contact === undefined ? {} : { contact: state.contact }),
    ...(state.evicted === undefined ? {} : { evicted: state.evicted }),
    ...(state.clock === undefined ? {} : { clock: state.clock }),
    ...(state.cron === undefined ? {} : { cron: state.cron }),
  }
}

export function fromStored(body: unknown): Decoded<StoredState> {
  if (!isRecord(body)) return { ok: false, why: 'it holds no saved state' }
  const version = body['v']
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return { ok: false, why: 'it does not say its version' }
  if (version > STATE_VERSION) return { ok: false, why: `it was written by a newer agent (form ${version}, this agent reads up to ${STATE_VERSION})` }
  const migrated = MIGRATIONS.slice(version - 1).reduce((old, migrate) => migrate(old), body)
  // the shape takes a missing field for null: here only a null that was written says "nothing"
  if (!Object.hasOwn(migrated, 'desired') || !Object.hasOwn(migrated, 'floor')) return { ok: false, why: 'it is incomplete' }
  const parsed = parse(STORED, migrated)
  if (!parsed.ok) return { ok: false, why: `${parsed.issues[0]?.path ?? ''} ${parsed.issues[0]?.message ?? ''}`.trim() }
  const { desired, floor, ledger, overrides, evicted, clock, cron, updates, contact } = parsed.value
  const entries = Object.entries(ledger).map(([key, entry]) => [key, { ...entry, countedExit: entry.countedExit ?? null }] as const)
  const given = {
    ...(evicted === undefined ? {} : { evicted: readEvicted(evicted) }),
    ...(clock === undefined ? {} : { clock }),
    ...(cron === undefined ? {} : { cron: readCron(cron) }),
    ...(updates === undefined ? {} : { updates }),
    ...(contact === undefined ? {} : { contact: { ...contact, wallMs: contact.wallMs ?? null } }),
  }
  const value = { v: STATE_VERSION, desired: desired ?? null, floor: floor ?? null, ledger: Object.fromEntries(entries), ...given }
  if (overrides === undefined) return { ok: true, value }
  return { ok: true, value: { ...value, overrides: overrides.map((one) => ({ ...one, pod: one.pod ?? null })) } }
}

function readEvicted(stored: Readonly<Record<string, Infer<typeof EVICTED>>>): NonNullable<SavedState['evicted']> {
  return Object.fromEntries(
    // a code that this agent does not know is still an eviction
    Object.entries(stored).map(([uid, { code, facts = {} }]) => [uid, { code: isCauseCode(code) ? code : 'device.pressure.memory', facts }]),
  )
}
