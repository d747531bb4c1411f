/**
 * A new agent comes in. INVARIANTS: every step ends with something that can be started: the file is whole, checked and durable
 * before its slot is named, and naming it is one rename; containers are never touched.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { freeSlot, installed } from '../core/agent-slots.ts'
import type { Slots } from '../core/agent-slots.ts'
import type { DesiredAgent } from '../../protocol/desired-state.ts'
import { agentsDir, fileOfSlot, SLOTS_FILE, textOfSlots } from './slots-file.ts'

/** The part of a disk that this needs; see store/disk. */
export interface SlotDisk {
  makeDirectory(dir: string): Promise<void>
  createSynced(file: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(file: string): Promise<void>
  /** `witness`: the file in it that was named last */
  syncDirectory(dir: string, witness: string): Promise<void>
}

export interface InstallDeps {
  readonly disk: SlotDisk
  readonly stateDir: string
  /** answers what the file says of itself when it is asked for its version */
  ask(file: string): Promise<string>
}

/** Resolves to the slots as they are on disk afterwards. Rejects, with nothing changed, when the bytes are not that agent. */
export async function install(deps: InstallDeps, slots: Slots, wanted: DesiredAgent, bytes: Uint8Array): Promise<Slots> {
  const { disk, stateDir } = deps
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== wanted.sha256) throw new Error(`it has the sha256 ${sha256.slice(0, 12)}, not ${wanted.sha256.slice(0, 12)}`)
  const dir = agentsDir(stateDir)
  const slot = freeSlot(slots)
  const file = fileOfSlot(stateDir, slot)
  const fresh = `${file.slice(0, -'.cjs'.length)}.new.cjs`
  await disk.makeDirectory(dir)
  await disk.remove(fresh)
  await disk.createSynced(fresh, bytes)
  const says = await deps.ask(fresh)
  if (says.trim() !== `skerry-agent ${wanted.version}`) {
    await disk.remove(fresh)
    throw new Error(`asked for its version it says ${JSON.stringify(says.slice(0, 60))}`)
  }
  await disk.rename(fresh, file)
  await disk.syncDirectory(dir, file)
  const next = installed(slots, slot, wanted)
  await writeSlots(disk, stateDir, next)
  return next
}

export async function writeSlots(disk: SlotDisk, stateDir: string, slots: Slots): Promise<void> {
  const dir = agentsDir(stateDir)
  const file = path.join(dir, SLOTS_FILE)
  await disk.makeDirectory(dir)
  await disk.remove(`${file}.new`)
  await disk.createSynced(`${file}.new`, Buffer.from(textOfSlots(slots)))
  await disk.rename(`${file}.new`, file)
  await disk.syncDirectory(dir, file)
}
