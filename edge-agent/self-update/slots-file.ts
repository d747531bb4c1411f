/** The slots on disk: `agents/slots.json` and the two files beside it, in the state folder. A file that cannot be read is none. */
import path from 'node:path'
import { firstSlots } from '../core/agent-slots.ts'
import type { Slot, Slots } from '../core/agent-slots.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { int, list, obj, oneOf, parse, required, str } from '../../protocol/shape.ts'

const SLOT = oneOf('base', 'a', 'b')
const FILE = obj({ version: required(str({ min: 1, max: 64 })), sha256: required(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })) })
const SLOTS = obj({
  current: required(SLOT),
  previous: required(SLOT),
  a: FILE,
  b: FILE,
  trial: int(),
  failed: required(
    list(obj({ version: required(str({ max: 64 })), sha256: required(str({ max: 64 })), why: required(str({ max: 256 })) }), {
      max: LIMITS.agentFailedKept.value,
    }),
  ),
  base: required(str({ max: 256 })),
})

export const SLOTS_FILE = 'slots.json'

export function agentsDir(stateDir: string): string {
  return path.join(stateDir, 'agents')
}

export function fileOfSlot(stateDir: string, slot: Exclude<Slot, 'base'>): string {
  return path.join(agentsDir(stateDir), `agent-${slot}.cjs`)
}

/** @param base what the packaged agent is now */
export function readSlots(text: string | null, base: string): Slots {
  if (text === null) return firstSlots(base)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return firstSlots(base)
  }
  const parsed = parse(SLOTS, body)
  if (!parsed.ok) return firstSlots(base)
  const { a = null, b = null, trial = null, ...rest } = parsed.value
  return { ...rest, a, b, trial }
}

export function textOfSlots(slots: Slots): string {
  return `${JSON.stringify(slots)}\n`
}
