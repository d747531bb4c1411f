/**
 * The kubelet's rules for NUMA nodes, exclusive CPUs and devices, NodeResourceTopologyMatch, shared GPUs and PID limits, held to
 * tables from their own tests. A table without a reader here is a
 * miss.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkCpuAssignment } from './policy-cpus.ts'
import { checkCpuHints, checkDeviceManager } from './policy-hints.ts'
import { checkGpuServers, checkGpuSharing, checkNumaAttribute, checkPidLimits } from './policy-devices.ts'
import { checkTopologyManager } from './policy-merge.ts'
import { checkZones } from './policy-zones.ts'
import { Tally } from './suite.ts'
import type { Suite } from './suite.ts'

const READERS: Readonly<Record<string, (tally: Tally, table: unknown) => void>> = {
  'topology-manager.json': checkTopologyManager,
  'cpu-manager-assignment.json': checkCpuAssignment,
  'cpu-manager-hints.json': checkCpuHints,
  'device-manager.json': checkDeviceManager,
  'node-resource-topology-match.json': checkZones,
  'gpu-sharing.json': checkGpuSharing,
  'gpu-servers.json': checkGpuServers,
  'dra-numa-node.json': checkNumaAttribute,
  'pid-limits.json': checkPidLimits,
}

/** Read from hardware, not decided here: the board-models suite has them. */
const ELSEWHERE: ReadonlySet<string> = new Set(['board-models.json', 'nvidia-smi-rows.json'])

export const suite: Suite = {
  name: 'topology-policy',
  needs: ['topology-policy'],
  run(fixtures) {
    const folder = join(fixtures, 'topology-policy')
    const tally = new Tally()
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.json') || ELSEWHERE.has(file)) continue
      const read = READERS[file]
      if (read === undefined) tally.check(file, false, () => 'no reader for this table')
      else read(tally, JSON.parse(readFileSync(join(folder, file), 'utf8')))
    }
    return tally.result()
  },
}
