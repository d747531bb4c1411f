/**
 * The preStop hook, written on its container: when the container has to go, its spec may be gone already (a pod that was
 * deleted, another agent process). Pure.
 */
import { LIFECYCLE_HANDLER } from '../../protocol/probe.ts'
import type { LifecycleHandler } from '../../protocol/probe.ts'
import { parse } from '../../protocol/shape.ts'
import type { ContainerPlan } from '../core/model.ts'
import { portNumber } from '../core/probe-action.ts'

const LABEL = 'dev.skerry.pre-stop'

/** Port names become numbers, and the host network's address is written out. */
export function preStopLabel({ container, pod }: ContainerPlan): Readonly<Record<string, string>> {
  const hook = container.lifecycle?.preStop
  if (hook === undefined) return {}
  const { httpGet } = hook
  if (httpGet === undefined) return { [LABEL]: JSON.stringify(hook) }
  const host = httpGet.host ?? (pod.hostNetwork ? '127.0.0.1' : undefined)
  const port = portNumber(httpGet.port, container.ports ?? []) ?? httpGet.port
  return { [LABEL]: JSON.stringify({ httpGet: { ...httpGet, port, ...(host === undefined ? {} : { host }) } }) }
}

/** Nothing for a label that is not ours to read. */
export function readPreStop(labels: Readonly<Record<string, string>>): { readonly preStop?: LifecycleHandler } {
  const text = labels[LABEL]
  if (text === undefined) return {}
  try {
    const parsed = parse(LIFECYCLE_HANDLER, JSON.parse(text))
    return parsed.ok ? { preStop: parsed.value } : {}
  } catch {
    return {}
  }
}
