/** The agent before it has read, seen or heard anything. */
import type { Now } from './model.ts'
import type { AgentState } from './state.ts'
import { freshClock, OLDEST_MS } from './clock-trust.ts'
import { NO_CRON } from './cron-model.ts'
import { NO_PRESSURE } from './pressure-model.ts'
import { EMPTY_PLAN } from './plan.ts'

/** @param sid agent session, new at each start */
export function initialState(identity: { readonly device: string; readonly sid: string; readonly agentVersion: string }, now: Now): AgentState {
  return {
    ...identity,
    knowledge: 'loading',
    desired: null,
    floor: null,
    saving: null,
    nextToSave: null,
    observed: null,
    observing: false,
    observeAgain: false,
    engine: { reachable: false, sinceWallMs: now.wallMs, info: null, cause: null },
    own: null,
    release: null,
    clock: freshClock(OLDEST_MS),
    cron: NO_CRON,
    ledger: {},
    probes: {},
    pressure: NO_PRESSURE,
    plan: EMPTY_PLAN,
    wave: null,
    imageWaves: [],
    waveCount: 0,
    refusals: [],
    overrides: [],
    overridesSavedAtMonoMs: null,
    storage: null,
    link: { kind: 'connecting' },
    inventory: null,
    hostIp: null,
    sessions: [],
    report: { last: null, seq: 0, sentAtMonoMs: null, dirty: false, heldUntilMonoMs: null },
    adopted: [],
    timing: {
      observedAtMonoMs: null,
      fresh: false,
      inFlightStale: false,
      observeFailures: 0,
      observeRetryAtMonoMs: null,
      saveInFlight: false,
      saveFailures: 0,
      saveRetryAtMonoMs: null,
      ledgerDirty: false,
      ledgerSavedAtMonoMs: null,
      wakeAtMonoMs: null,
    },
  }
}
