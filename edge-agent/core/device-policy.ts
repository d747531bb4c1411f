/**
 * What the owner of a device lets workloads do to it. It lies in a file on the device and nothing from the cloud can widen
 * it; without the file nothing beyond an ordinary container is allowed.
 */
import type { DevicePolicy, LocalSettings } from './pod-model.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { SecurityContext } from '../../protocol/pod-security.ts'
import type { ContainerSpec, DesiredPod } from './model.ts'

export const NO_LOCAL_SETTINGS: LocalSettings = { policy: {}, policyFile: 'policy.json', roots: null }

/** What Docker gives to every container. */
const ORDINARY = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
)

/** The first thing that this container asks for and may not have, or null. */
export function policyDenies(pod: DesiredPod, container: ContainerSpec, { policy, policyFile }: LocalSettings): Cause | null {
  const what =
    policy.privileged === true ? null : (deniedPower(container.securityContext ?? {}, policy) ?? unconfined(pod.spec.securityContext ?? {}))
  return what === null ? null : cause('policy.device.denied', { what, file: policyFile })
}

/** The rule that covers this path, or null. The path has no `..` and no links any more. */
export function hostPathRule(path: string, { hostPaths = [] }: DevicePolicy): { readonly readOnly: boolean } | null {
  const covers = (allowed: string): boolean => {
    const folder = allowed.replace(/\/+$/, '')
    return path === folder || path.startsWith(`${folder}/`)
  }
  const rules = hostPaths.filter((rule) => covers(rule.path))
  return rules.length === 0 ? null : { readOnly: rules.every(({ readOnly }) => readOnly === true) }
}

function deniedPower(context: SecurityContext, { capabilities = [] }: DevicePolicy): string | null {
  if (context.privileged === true) return 'privileged containers'
  const allowed = new Set(capabilities)
  const beyond = (context.capabilities?.add ?? []).map((name) => name.replace(/^CAP_/, '')).find((name) => !ORDINARY.has(name) && !allowed.has(name))
  return beyond === undefined ? unconfined(context) : `capability ${beyond}`
}

function unconfined({ seccompProfile, appArmorProfile }: Pick<SecurityContext, 'seccompProfile' | 'appArmorProfile'>): string | null {
  if (seccompProfile?.type === 'Unconfined') return 'containers without a seccomp profile'
  return appArmorProfile?.type === 'Unconfined' ? 'containers without an AppArmor profile' : null
}
