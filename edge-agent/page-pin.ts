/** The PIN of the device page: given in the join file, or made at the first start and kept in the state folder, mode 0600. */
import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Eight digits that stay the same. Throws when the folder cannot be written. */
export function pagePin(stateDir: string, given: string | undefined): string {
  if (given !== undefined) return given
  const file = join(stateDir, 'page-pin')
  const known = read(file)
  if (known !== null) return known
  const pin = String(randomInt(100_000_000)).padStart(8, '0')
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, `${pin}\n`, { mode: 0o600, flag: 'wx' })
    return pin
  } catch (error) {
    // somebody else was first, or there is a file that holds no PIN
    const other = read(file)
    if (other !== null) return other
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    writeFileSync(file, `${pin}\n`, { mode: 0o600 })
    return pin
  }
}

function read(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^\d{4,16}$/.test(text) ? text : null
  } catch {
    return null
  }
}
