import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin, HostPort } from '../framework.ts'

/** Two pods cannot hold one host port of a device: a rolling update with surge needs another device for it. */
export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  applies: (pod) => pod.hostPorts.length > 0,
  filter: (pod, node) => {
    if (pod.hostPorts.length === 0) return []
    const faults = []
    for (const wanted of pod.hostPorts) {
      for (const other of node.pods.values()) {
        if (other.uid === pod.uid || !other.hostPorts.some((held) => collide(wanted, held))) continue
        faults.push(cause('placement.port.taken', { port: wanted.port, by: other.key }))
        break
      }
    }
    return faults
  },
}

function collide(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
}
