/** Caps of Services: names, endpoints, the balancer on the device, and the networks that both need. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const SERVICE_LIMITS = {
  networkLingerMs: limit(60_000, 'ms', 'a namespace whose last pod went keeps its network: the next pod starts sooner by a quarter'),
  networksSeenMs: limit(1_000, 'ms', 'containers of one change share a look at the networks; who takes one away meanwhile makes one start fail'),
  servicesPerDevice: limit(64, 'count', 'each takes a tenth of a second to make on the device; those of its own pods come first'),
  peersPerService: limit(16, 'count', 'other devices of a site that answer for one Service; a caller needs a few'),
  endpointsPerService: limit(1_000, 'count', 'Kubernetes: addresses of one Endpoints object'),
  endpointsPerSlice: limit(100, 'count', 'Kubernetes: one change rewrites no more than this'),
  headlessNames: limit(32, 'count', 'addresses under one name in a hosts file; musl reads 48 and most programs use the first'),
  affinityClients: limit(1_024, 'count', 'clients of one port that are remembered; the one that was silent longest is forgotten'),
  backendSkipMs: limit(10_000, 'ms', 'one that refused a connection is asked last for this long'),
  backendConnectMs: limit(3_000, 'ms', 'one retry of the kernel, which sends again after a second; in a site the answer comes in milliseconds'),
  balancerConnections: limit(1_024, 'count', 'connections through the balancer at once: two sockets of a few KiB each'),
  balancerIdleMs: limit(3_600_000, 'ms', 'a connection on which nobody says anything for an hour is forgotten; keep-alive finds dead peers sooner'),
  balancerHalfOpenMs: limit(60_000, 'ms', 'one side has ended: the other has this long without a byte to finish'),
  balancerKeepAliveMs: limit(60_000, 'ms', 'how soon the kernel asks a silent peer whether it lives'),
} as const satisfies Record<string, Limit>
