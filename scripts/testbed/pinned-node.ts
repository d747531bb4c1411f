import { existsSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../build-agent.ts'

/** The Node that npm installed beside the sources, else the one running. */
export function pinnedNode(): string {
  const pinned = path.join(ROOT, 'node_modules', '.bin', 'node')
  return existsSync(pinned) ? pinned : process.execPath
}
