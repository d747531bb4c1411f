/** What tells this board from all others of its kind, for a device that was flashed with the same image as they. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENROLL_MAC } from '../protocol/enroll.ts'
import type { EnrollRequest } from '../protocol/enroll.ts'
import { LIMITS } from '../protocol/limits.ts'

/** A device tree says it on ARM boards, the firmware's tables on others (for root). */
const SERIALS = ['proc/device-tree/serial-number', 'sys/class/dmi/id/product_serial', 'sys/class/dmi/id/board_serial']

/** @param root other than / only in tests */
export function boardIdentity(root = '/'): Pick<EnrollRequest, 'serial' | 'mac'> {
  const serial = SERIALS.map((file) => text(join(root, file))).find((one) => one !== '')
  const mac = firstCard(join(root, 'sys/class/net'))
  return { ...(serial === undefined ? {} : { serial: serial.slice(0, LIMITS.enrollIdentity.value) }), ...(mac === null ? {} : { mac }) }
}

/** Of the cards that are hardware and have the address that their maker gave them: the one that the kernel found first. */
function firstCard(dir: string): string | null {
  const cards = names(dir).flatMap((name) => {
    const at = join(dir, name)
    const address = text(join(at, 'address')).toLowerCase()
    const isCard = names(join(at, 'device')).length > 0 && text(join(at, 'type')) === '1' && text(join(at, 'addr_assign_type')) === '0'
    return isCard && ENROLL_MAC.test(address) && !/^(00:){5}00$/.test(address) ? [{ address, index: Number(text(join(at, 'ifindex'))) }] : []
  })
  return cards.toSorted((a, b) => a.index - b.index)[0]?.address ?? null
}

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** A device tree ends its texts with a zero byte. '' when there is none. */
function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', '').trim()
  } catch {
    return ''
  }
}
