/** All kinds of the API, and how to find one. Discovery, routing and the store are driven by this table. */
import { CONFIG_MAPS } from './config-map.ts'
import { CRON_JOBS } from './cron-job.ts'
import { DAEMON_SETS } from './daemon-set.ts'
import { DEPLOYMENTS } from './deployment.ts'
import { ENDPOINT_SLICES } from './endpoint-slice.ts'
import { ENDPOINTS } from './endpoints.ts'
import { EVENTS } from './event.ts'
import { JOBS } from './job.ts'
import { LEASES } from './lease.ts'
import { MUTES } from './mute.ts'
import { NAMESPACES } from './namespace.ts'
import { NODE_RESOURCE_TOPOLOGIES } from './node-resource-topology.ts'
import { NODES } from './node.ts'
import { resourceKey } from './object.ts'
import type { KubeObject, ResourceDefinition } from './object.ts'
import { CLAIMS } from './persistent-volume-claim.ts'
import { PERSISTENT_VOLUMES } from './persistent-volume.ts'
import { PODS } from './pod.ts'
import { PRIORITY_CLASSES } from './priority-class.ts'
import { REPLICA_SETS } from './replica-set.ts'
import { ROLLOUTS } from './rollout.ts'
import { SECRETS } from './secret.ts'
import { STATEFUL_SETS } from './stateful-set.ts'
import { STORAGE_CLASSES } from './storage-class.ts'
import { SERVICES } from './service.ts'

export const RESOURCE_DEFINITIONS: readonly ResourceDefinition[] = [
  general(CONFIG_MAPS),
  general(ENDPOINTS),
  general(EVENTS),
  general(NAMESPACES),
  general(NODES),
  general(CLAIMS),
  general(PERSISTENT_VOLUMES),
  general(PODS),
  general(SECRETS),
  general(SERVICES),
  general(DAEMON_SETS),
  general(DEPLOYMENTS),
  general(REPLICA_SETS),
  general(STATEFUL_SETS),
  general(CRON_JOBS),
  general(JOBS),
  general(LEASES),
  general(ENDPOINT_SLICES),
  general(STORAGE_CLASSES),
  general(NODE_RESOURCE_TOPOLOGIES),
  general(PRIORITY_CLASSES),
  general(ROLLOUTS),
  general(MUTES),
]

const BY_KEY: ReadonlyMap<string, ResourceDefinition> = new Map(RESOURCE_DEFINITIONS.map((definition) => [resourceKey(definition), definition]))

/** By store key: `pods`, `deployments.apps`. */
export function resourceByKey(key: string): ResourceDefinition | undefined {
  return BY_KEY.get(key)
}

/** By the parts of a URL: group `''` for the core API. */
export function resourceByPlural(group: string, version: string, plural: string): ResourceDefinition | undefined {
  const found = BY_KEY.get(resourceKey({ group, plural }))
  return found?.version === version ? found : undefined
}

/** By what an object says of itself: `apps/v1`, `Deployment`. */
export function resourceByKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
  return RESOURCE_DEFINITIONS.find((definition) => definition.kind === kind && apiVersionOf(definition) === apiVersion)
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(definition: { readonly group: string; readonly version: string }): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`
}

/** Forgets the kind's own type. Safe because an object is checked against the definition's shape before it is handed over. */
function general<O extends KubeObject>(definition: ResourceDefinition<O>): ResourceDefinition {
  return definition as unknown as ResourceDefinition
}
