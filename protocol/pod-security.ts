/** Security contexts: what a container may be and do. Fields that would need more than the engine offers are refused by name. */
import { bool, int, list, obj, oneOf, refused, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const later = (what: string): string => `${what} is not supported by this version of Skerry; remove the field`

const ID = int(0, 2_147_483_647)
const CAPABILITY = str({ pattern: /^(CAP_)?[A-Z][A-Z0-9_]{1,40}$|^ALL$/, says: 'a capability such as NET_ADMIN, or ALL' })
const PROFILE = obj({ type: required(oneOf('RuntimeDefault', 'Unconfined')), localhostProfile: refused(later('a profile file of the device')) })

export const SECURITY_CONTEXT = obj({
  runAsUser: ID,
  runAsGroup: ID,
  runAsNonRoot: bool(),
  privileged: bool(),
  allowPrivilegeEscalation: bool(),
  readOnlyRootFilesystem: bool(),
  capabilities: obj({ add: list(CAPABILITY, { max: 64 }), drop: list(CAPABILITY, { max: 64 }) }),
  seccompProfile: PROFILE,
  appArmorProfile: PROFILE,
  procMount: oneOf('Default'),
  seLinuxOptions: refused(later('SELinux options')),
  windowsOptions: refused(later('Windows')),
})

export const POD_SECURITY_CONTEXT = obj({
  runAsUser: ID,
  runAsGroup: ID,
  runAsNonRoot: bool(),
  supplementalGroups: list(ID, { max: 32 }),
  fsGroup: ID,
  fsGroupChangePolicy: oneOf('Always', 'OnRootMismatch'),
  supplementalGroupsPolicy: oneOf('Merge'),
  seccompProfile: PROFILE,
  appArmorProfile: PROFILE,
  sysctls: refused(later('a kernel setting of one pod')),
  seLinuxOptions: refused(later('SELinux options')),
  seLinuxChangePolicy: refused(later('SELinux options')),
  windowsOptions: refused(later('Windows')),
})

export type SecurityContext = Infer<typeof SECURITY_CONTEXT>
export type PodSecurityContext = Infer<typeof POD_SECURITY_CONTEXT>
