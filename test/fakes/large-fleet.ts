/** A fleet as large as one likes behind the console: nodes in a store, and devices whose reports change as often as asked. */
import type { DeviceFacts } from '../../cloud/console/device-row.ts'
import type { Store } from '../../cloud/ports.ts'
import type { Node } from '../../cloud/resources/node.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { cause } from '../../protocol/causes.ts'
import type { StatusReport } from '../../protocol/status-report.ts'

export interface LargeFleet {
  readonly store: Store
  facts(device: string): DeviceFacts
  /** the next `count` devices change: each to or from trouble @returns their names */
  churn(count: number): readonly string[]
}

const SITES = 40

export function deviceName(index: number): string {
  return `gw-${String(index).padStart(6, '0')}`
}

export async function largeFleet(devices: number): Promise<LargeFleet> {
  const store = openMemoryStore()
  for (let at = 0; at < devices; at += 500)
    await Promise.all(Array.from({ length: Math.min(500, devices - at) }, (_, one) => store.create('nodes', nodeOf(at + one))))
  const troubled = new Set<string>()
  let next = 0
  return {
    store,
    facts: (device) => ({ heardAtMs: null, report: troubled.has(device) ? IN_TROUBLE : null }),
    churn(count) {
      const names: string[] = []
      for (let one = 0; one < count; one += 1) {
        // a step that is no divisor: the changes come from all over the fleet
        next = (next + 7919) % devices
        const name = deviceName(next)
        if (!troubled.delete(name)) troubled.add(name)
        names.push(name)
      }
      return names
    },
  }
}

const IN_TROUBLE: StatusReport = {
  device: 'any',
  sid: 's',
  seq: 1,
  at: '2026-03-04T10:00:00Z',
  agentVersion: 'v1.4.2',
  converged: true,
  engine: { reachable: true },
  pods: [],
  causes: [cause('storage.degraded', { why: 'ENOSPC' })],
}

function nodeOf(index: number): Node {
  const site = index % SITES
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: deviceName(index),
      uid: `uid-${index}`,
      labels: { site: `site-${String(site).padStart(2, '0')}`, region: `region-${site % 5}` },
    },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: index % 97 === 0 ? 'Unknown' : 'True', lastTransitionTime: '2026-03-04T10:00:00Z' }],
      allocatable: { cpu: '4', memory: '8Gi', pids: '4096', pods: '110' },
      nodeInfo: {
        architecture: index % 3 === 0 ? 'amd64' : 'arm64',
        osImage: 'Debian GNU/Linux 13',
        kernelVersion: '6.12.38',
        containerRuntimeVersion: 'docker://26.1.5',
        kubeletVersion: `v1.${index % 6}.0`,
      },
      addresses: [{ type: 'InternalIP', address: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}` }],
    },
  }
}
