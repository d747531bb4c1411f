/** Why a real program cannot be used here, or null. */
import { existsSync } from 'node:fs'
import path from 'node:path'

export function whyNoProgram(name: string, debianPackage: string): string | null {
  const dirs = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  return dirs.some((dir) => existsSync(path.join(dir, name))) ? null : `${name} is not installed (Debian: ${debianPackage})`
}

export function whyNoKubectl(): string | null {
  return whyNoProgram('kubectl', 'kubernetes-client')
}
