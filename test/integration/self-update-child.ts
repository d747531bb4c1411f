/** Installs an agent and kills itself after that many disk operations: `STATE STEPS FILE VERSION`. */
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { install } from '../../edge-agent/self-update/install.ts'
import type { SlotDisk } from '../../edge-agent/self-update/install.ts'
import { agentsDir, readSlots, SLOTS_FILE } from '../../edge-agent/self-update/slots-file.ts'
import { nodeDisk } from '../../edge-agent/store/disk.ts'

const [stateDir = '', steps = '', file = '', version = ''] = process.argv.slice(2)
let left = Number(steps)
const step = async <T>(done: Promise<T>): Promise<T> => {
  const result = await done
  left -= 1
  if (left <= 0) process.kill(process.pid, 'SIGKILL')
  return result
}
const disk: SlotDisk = {
  makeDirectory: (dir) => step(nodeDisk.makeDirectory(dir)),
  createSynced: (name, bytes) => step(nodeDisk.createSynced(name, bytes)),
  rename: (from, to) => step(nodeDisk.rename(from, to)),
  remove: (name) => step(nodeDisk.remove(name)),
  syncDirectory: (dir, witness) => step(nodeDisk.syncDirectory(dir, witness)),
}
const bytes = readFileSync(file)
const text = readFileSync(path.join(agentsDir(stateDir), SLOTS_FILE), 'utf8')
const slots = readSlots(text, (JSON.parse(text) as { readonly base: string }).base)
const sha256 = createHash('sha256').update(bytes).digest('hex')
await install({ disk, stateDir, ask: () => Promise.resolve(`skerry-agent ${version}`) }, slots, { version, sha256, bytes: bytes.byteLength }, bytes)
process.stdout.write('installed\n')
