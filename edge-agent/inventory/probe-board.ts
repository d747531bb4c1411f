/** Which board this is, which profile fits, and where the profile and the hardware disagree. */
import { identifyBoard } from '../../device-profiles/board.ts'
import type { BoardIdentity } from '../../device-profiles/board.ts'
import { PROFILES } from '../../device-profiles/catalogue.ts'
import type { BoardEvidence } from '../../device-profiles/match.ts'
import type { Accelerator, Topology } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'

const DMI = '/sys/class/dmi/id'

export async function probeBoard(reader: HostReader, arch: string, evidence: Evidence): Promise<BoardIdentity> {
  const cpuinfo = (await reader.read('/proc/cpuinfo')) ?? ''
  const field = (name: string): string | null => new RegExp(`^${name}\\s*:[ \\t]*(.+)$`, 'm').exec(cpuinfo)?.[1]?.trim() ?? null
  const read = (name: string): Promise<string | null> => reader.read(`${DMI}/${name}`)
  const tree = (await reader.read('/proc/device-tree/compatible')) ?? (await reader.read('/sys/firmware/devicetree/base/compatible')) ?? ''
  const board: BoardEvidence = {
    arch,
    compatible: tree.split('\n').filter((name) => name !== ''),
    model: (await reader.read('/proc/device-tree/model')) ?? field('Model'),
    vendor: await read('sys_vendor'),
    product: await read('product_name'),
    board: await read('board_name'),
    cpu: field('model name'),
  }
  const identity = identifyBoard(PROFILES, board, field('Hardware'))
  if (identity.profile !== null) evidence.source('labels.skerry.dev/profile', sourceOf(board))
  for (const note of identity.profile?.notes ?? []) evidence.finding(note, `profile ${identity.profile?.name ?? ''}`)
  return identity
}

function sourceOf({ compatible, model, product }: BoardEvidence): string {
  if (compatible.length > 0) return '/proc/device-tree/compatible'
  if (model !== null) return '/proc/device-tree/model'
  return product === null ? 'architecture' : `${DMI}/product_name`
}

/** What the profile says must be there and is not, or is otherwise: a finding each. Nothing is filled in from a profile. */
export function compareWithProfile({ profile }: BoardIdentity, topology: Topology, accelerators: readonly Accelerator[], evidence: Evidence): void {
  const declares = profile?.declares
  if (profile === null || declares === undefined) return
  const source = `profile ${profile.name} (${declares.source})`
  const cores = topology.cores
  if (declares.cores !== undefined && cores !== undefined && topology.offlineCpus === '' && !declares.cores.includes(cores)) {
    evidence.finding(`${profile.title} has ${declares.cores.join(' or ')} cores, ${cores} are found`, source)
  }
  const nodes = topology.numaNodes.filter((node) => node.cpus !== '').length
  if (declares.numaNodes !== undefined && !declares.numaNodes.includes(nodes)) {
    evidence.finding(`${profile.title} has ${declares.numaNodes.join(' or ')} NUMA nodes with CPUs, ${nodes} are found`, source)
  }
  for (const declared of declares.accelerators ?? []) {
    if (accelerators.some((found) => found.resource === declared.resource)) continue
    evidence.finding(`${declared.name} is on the board but the kernel does not show it: it needs ${declared.driver}`, source)
  }
}
