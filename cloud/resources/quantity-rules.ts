/** Rules for `resources`: which names exist, whole units, requests within limits, and where PIDs are limited. */
import { POD_PID_RULE, podPidLimit } from '../../protocol/pids.ts'
import type { PodSpec } from '../../protocol/pod.ts'
import type { Issue } from '../../protocol/shape.ts'
import { parseQuantityNano } from '../../protocol/units.ts'

type Resources = NonNullable<PodSpec['resources']>
type Quantities = Readonly<Record<string, string | number>>

const STANDARD: readonly string[] = ['cpu', 'memory', 'ephemeral-storage']
const ONE = 1_000_000_000n
const PIDS_AT_POD = 'PIDs are limited for the whole pod: write spec.resources.limits.pids'

/** Issues of a container's `resources`: cpu, memory, ephemeral-storage and extended resources such as `nvidia.com/gpu`. */
export function containerResourceIssues(resources: Resources, path: string): readonly Issue[] {
  const { requests = {}, limits = {} } = resources
  // requests that were filled from limits are the same fault, told once
  const own = Object.fromEntries(Object.entries(requests).filter(([name, value]) => limits[name] !== value))
  const issues = [...quantityIssues(own, `${path}.requests`), ...quantityIssues(limits, `${path}.limits`)]
  return issues.length > 0 ? issues : withinLimits(requests, limits, path)
}

/** Issues of a pod's own `resources`: only `limits.pids` is taken, a whole number of at least 1. */
export function podResourceIssues(resources: Resources, path: string): readonly Issue[] {
  const requests = Object.keys(resources.requests ?? {}).map((name): Issue => ({
    path: `${path}.requests[${JSON.stringify(name)}]`,
    kind: 'unsupported',
    message:
      name === 'pids' ? 'PIDs are only limited, not requested: write limits.pids' : `set ${name} on the container; a pod takes only limits.pids`,
  }))
  const limits = Object.entries(resources.limits ?? {}).flatMap(([name, value]): readonly Issue[] => {
    const at = `${path}.limits[${JSON.stringify(name)}]`
    if (name !== 'pids') return [{ path: at, kind: 'unsupported', message: `set ${name} on the container; a pod takes only limits.pids` }]
    const nano = parseQuantityNano(String(value)) ?? 0n
    if (nano < ONE || nano % ONE !== 0n) return [{ path: at, kind: 'invalid', message: `must be a whole number of at least 1, is ${value}` }]
    const limit = podPidLimit(POD_PID_RULE, Number(nano / ONE))
    return limit.kind === 'refused' ? [{ path: at, kind: 'invalid', message: limit.why }] : []
  })
  return [...requests, ...limits]
}

function quantityIssues(quantities: Quantities, path: string): readonly Issue[] {
  return Object.entries(quantities).flatMap(([name, value]) => containerQuantity(name, value, `${path}[${JSON.stringify(name)}]`))
}

function containerQuantity(name: string, value: string | number, path: string): readonly Issue[] {
  const nano = parseQuantityNano(String(value)) ?? 0n
  if (name === 'pids') return [{ path, kind: 'unsupported', message: PIDS_AT_POD }]
  if (!isKnown(name)) {
    return [
      {
        path,
        kind: 'invalid',
        message: `${JSON.stringify(name)} is not a resource: use ${STANDARD.join(', ')} or a name with a domain such as "nvidia.com/gpu"`,
      },
    ]
  }
  if (nano < 0n) return [{ path, kind: 'invalid', message: `must not be negative, is ${value}` }]
  if (name === 'cpu') return []
  return nano % ONE === 0n ? [] : [{ path, kind: 'invalid', message: `must be whole ${name.includes('/') ? 'units' : 'bytes'}, is ${value}` }]
}

function isKnown(name: string): boolean {
  const slash = name.indexOf('/')
  if (slash < 0) return STANDARD.includes(name)
  return !name.slice(0, slash).endsWith('kubernetes.io')
}

function withinLimits(requests: Quantities, limits: Quantities, path: string): readonly Issue[] {
  return Object.entries(requests).flatMap(([name, value]): readonly Issue[] => {
    const at = `${path}.requests[${JSON.stringify(name)}]`
    const limit = limits[name]
    if (limit === undefined) {
      return name.includes('/') ? [{ path: at, kind: 'invalid', message: `${name} cannot be shared: set the same amount in limits` }] : []
    }
    const asked = parseQuantityNano(String(value)) ?? 0n
    const allowed = parseQuantityNano(String(limit)) ?? 0n
    if (asked > allowed) return [{ path: at, kind: 'invalid', message: `must be at most the limit ${limit}, is ${value}` }]
    if (name.includes('/') && asked !== allowed)
      return [{ path: at, kind: 'invalid', message: `must equal the limit ${limit}, is ${value}: ${name} cannot be shared` }]
    return []
  })
}
