/** What this device says for itself: its policy file, and where files of pods may lie. */
import { DEVICE_POLICY } from './core/pod-model.ts'
import type { DevicePolicy, LocalSettings } from './core/pod-model.ts'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from '../protocol/shape.ts'
import type { RunConfig } from './config.ts'
import { hostZone } from './host-zone.ts'
import type { Log } from './ports.ts'
import { memoryFolder } from './volumes/pod-volumes.ts'

/** A policy that cannot be read allows nothing, and says so. */
export async function readLocalSettings({ stateDir, runtimeDir, join: { device }, timeZone }: RunConfig, log: Log): Promise<LocalSettings> {
  const policyFile = resolve(stateDir, 'policy.json')
  const tmpfs = await memoryFolder([...(runtimeDir === null ? [] : [runtimeDir]), '/run', '/dev/shm'])
  if (tmpfs === null) log.warn('no tmpfs at /run or /dev/shm: pods with Secret volumes are refused')
  const disk = resolve(stateDir, 'pods')
  const memory = tmpfs === null ? null : join(tmpfs, `skerry-agent-${device}`)
  // 0700: what lies below is for containers that mount it, and for nobody else on the host
  for (const folder of memory === null ? [disk] : [disk, memory]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const zone = hostZone(timeZone)
  return { policy: readPolicy(policyFile, log), policyFile, zone, roots: { disk, memory }, networks: { hosts: resolve(stateDir, 'hosts') } }
}

function readPolicy(file: string, log: Log): DevicePolicy {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return {}
  }
  const parsed = parse(DEVICE_POLICY, fromJson(text), 'refuse')
  if (parsed.ok) return parsed.value
  const why = parsed.issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
  log.error('the policy of this device cannot be read; host paths and privileges are refused', { file, why })
  return {}
}

function fromJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return null
  }
}
