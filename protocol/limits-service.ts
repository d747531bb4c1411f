import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const SERVICE_LIMITS = {
  servicesPerDevice: limit(64, 'count', 'each takes a tenth of a second to make on the device; those of its own pods come first'),
  peersPerService: limit(16, 'count', 'other devices of a site that answer for one Service; a caller needs a few'),
  endpointsPerService: limit(1_000, 'count', 'Kubernetes: addresses of one Endpoints object'),
  endpointsPerSlice: limit(100, 'count', 'Kubernetes: one change rewrites no more than this'),
} as const satisfies Record<string, Limit>
