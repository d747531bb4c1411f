/** The form on disk of what is remembered of each pod's revisions. */
import { CAUSE } from '../../protocol/causes.ts'
import { DESIRED_CONFIG, DESIRED_POD } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { int, list, map, num, obj, required, str } from '../../protocol/shape.ts'

const HASH = str({ min: 1, max: 64 })
/** applied, healthy, previous and one that a person asked for */
const KEPT_MAX = 4
/** a lock as it was written */
const LOCK_TEXT_MAX = 2_048

const KEPT = obj({ pod: required(DESIRED_POD), configs: required(list(DESIRED_CONFIG, { max: LIMITS.configsPerDevice.value })) })

const SAVED_RECORD = obj({
  applied: required(HASH),
  healthy: HASH,
  previous: HASH,
  kept: list(KEPT, { max: KEPT_MAX }),
  trial: obj({ remainingMs: required(num()), starts: required(int()) }),
  failed: obj({ hash: required(HASH), release: required(str({ max: 128 })), cause: required(CAUSE) }),
  lock: obj({ id: required(str({ max: LOCK_TEXT_MAX })), issuedAt: required(str({ max: 40 })), remainingMs: required(num()) }),
})

/** By uid of the pod. */
export const SAVED_UPDATES = map(SAVED_RECORD, { max: LIMITS.podsPerDevice.value })
