/**
 * The pod: Kubernetes' PodSpec, reduced to what a device can do today. Fields that Kubernetes has and Skerry does not take
 * are listed as refused with the reason: the cloud refuses them by name, and the agent checks again.
 */
import { LIMITS } from './limits.ts'
import { ENV_FROM, ENV_VAR } from './pod-env.ts'
import { AFFINITY, SCHEDULING_GATE, TOPOLOGY_SPREAD_CONSTRAINT } from './pod-scheduling.ts'
import { POD_SECURITY_CONTEXT, SECURITY_CONTEXT } from './pod-security.ts'
import { VOLUME, VOLUME_MOUNT } from './pod-volumes.ts'
import { LIFECYCLE, PROBE } from './probe.ts'
import { bool, int, list, map, obj, oneOf, quantity, refused, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const later = (what: string): string => `${what} is not supported by this version of Skerry; remove the field`

const NAME = str({
  pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  says: 'lower case letters, digits and "-", at most 63, starting and ending with a letter or digit',
})
const IP = /^[0-9a-fA-F.:]{2,45}$/
const RESOURCE_NAME = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

export const CONTAINER_PORT = obj({
  name: NAME,
  containerPort: required(int(1, 65_535)),
  hostPort: int(1, 65_535),
  hostIP: str({ pattern: /^[0-9a-fA-F.:]{2,45}$/, says: 'an IP address' }),
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
})

export const RESOURCES = obj({
  requests: map(quantity(), { keyPattern: RESOURCE_NAME, max: 32 }),
  limits: map(quantity(), { keyPattern: RESOURCE_NAME, max: 32 }),
  claims: refused(later('dynamic resource allocation')),
})

export const CONTAINER = obj({
  name: required(NAME),
  image: required(str({ pattern: /^[!-~]{1,512}$/, says: 'an image reference without spaces' })),
  imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
  command: list(str({ max: 32_768 }), { max: 256 }),
  args: list(str({ max: 32_768 }), { max: 256 }),
  workingDir: str({ max: 4096 }),
  env: list(ENV_VAR, { mergeKey: 'name', max: LIMITS.envPerContainer.value }),
  ports: list(CONTAINER_PORT, { mergeKey: 'containerPort', max: 64 }),
  resources: RESOURCES,
  tty: bool(),
  stdin: bool(),
  terminationMessagePath: str({ max: 4096 }),
  terminationMessagePolicy: oneOf('File', 'FallbackToLogsOnError'),
  envFrom: list(ENV_FROM, { max: 32 }),
  volumeMounts: list(VOLUME_MOUNT, { mergeKey: 'mountPath', max: 64 }),
  volumeDevices: refused(later('block devices')),
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: LIFECYCLE,
  securityContext: SECURITY_CONTEXT,
  /** of init containers only: Always makes a sidecar */
  restartPolicy: oneOf('Always'),
  resizePolicy: refused(later('in-place resize')),
  stdinOnce: refused(later('stdinOnce')),
})

export const TOLERATION = obj({
  key: str({ max: 316 }),
  operator: oneOf('Exists', 'Equal', 'Gt', 'Lt'),
  value: str({ max: 63 }),
  effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  tolerationSeconds: int(Number.MIN_SAFE_INTEGER),
})

export const POD_SPEC = obj({
  containers: required(list(CONTAINER, { mergeKey: 'name', max: LIMITS.containersPerPod.value })),
  restartPolicy: oneOf('Always', 'OnFailure', 'Never'),
  terminationGracePeriodSeconds: int(0, 86_400),
  nodeName: str({ max: 253 }),
  nodeSelector: map(str({ max: 63 }), { max: 64 }),
  tolerations: list(TOLERATION, { max: 64 }),
  hostNetwork: bool(),
  hostname: NAME,
  /** pod level: only `pids` is read (the spelling Kubernetes documents for pod-level PID limits) */
  resources: RESOURCES,
  dnsPolicy: oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
  schedulerName: str({ max: 253 }),
  enableServiceLinks: bool(),
  automountServiceAccountToken: bool(),
  serviceAccountName: str({ max: 253 }),
  serviceAccount: str({ max: 253 }),
  securityContext: POD_SECURITY_CONTEXT,
  priority: int(-2_147_483_648, 2_147_483_647),
  preemptionPolicy: oneOf('PreemptLowerPriority', 'Never'),
  /** run in order to exit 0 before the others; with restartPolicy Always they go on beside them */
  initContainers: list(CONTAINER, { mergeKey: 'name', max: LIMITS.containersPerPod.value }),
  ephemeralContainers: refused(later('an ephemeral container')),
  volumes: list(VOLUME, { mergeKey: 'name', max: 64, retainKeys: true }),
  affinity: AFFINITY,
  topologySpreadConstraints: list(TOPOLOGY_SPREAD_CONSTRAINT, { mergeKey: 'topologyKey', max: 16 }),
  imagePullSecrets: list(obj({ name: required(str({ min: 1, max: 253 })) }), { mergeKey: 'name', max: 16 }),
  priorityClassName: str({ max: 253 }),
  activeDeadlineSeconds: refused(later('a deadline')),
  hostPID: refused(later('the host PID namespace')),
  hostIPC: refused(later('the host IPC namespace')),
  hostUsers: refused(later('a user namespace')),
  hostAliases: list(obj({ ip: required(str({ pattern: IP, says: 'an IP address' })), hostnames: list(str({ min: 1, max: 253 }), { max: 32 }) }), {
    mergeKey: 'ip',
    max: 64,
  }),
  subdomain: refused(later('a subdomain')),
  dnsConfig: obj({
    nameservers: list(str({ pattern: IP, says: 'an IP address' }), { max: 3 }),
    searches: list(str({ max: 253 }), { max: 32 }),
    options: list(obj({ name: str({ max: 63 }), value: str({ max: 63 }) }), { max: 32 }),
  }),
  readinessGates: refused(later('a readiness gate')),
  runtimeClassName: refused(later('a runtime class')),
  overhead: refused(later('overhead')),
  os: refused(later('an operating system choice')),
  schedulingGates: list(SCHEDULING_GATE, { mergeKey: 'name', max: 16 }),
  resourceClaims: refused(later('dynamic resource allocation')),
  shareProcessNamespace: refused(later('a shared process namespace')),
  setHostnameAsFQDN: refused(later('an FQDN host name')),
})

export type ContainerPort = Infer<typeof CONTAINER_PORT>
export type ContainerSpec = Infer<typeof CONTAINER>
export type Toleration = Infer<typeof TOLERATION>
export type PodSpec = Infer<typeof POD_SPEC>

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
