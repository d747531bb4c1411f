/** Disks, what they are, and how worn they say they are. Partitions, loops and mapped devices are left out. */
import type { Disk } from '../../protocol/inventory.ts'
import { lookUp } from '../../protocol/look-up.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'

const BLOCK = '/sys/block'
/** sysfs counts in sectors of 512 bytes, whatever the disk's own size is */
const SECTOR = 512
const DISKS_SHOWN = 32

export async function probeDisks(reader: HostReader, evidence: Evidence): Promise<readonly Disk[]> {
  const names = (await reader.list(BLOCK)).filter((name) =>
    /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+|nvme\d+c\d+n\d+)$/.test(name),
  )
  // a disk behind several paths shows each of them beside itself
  const disks = await Promise.all(
    names
      .filter((name) => !/^nvme\d+c/.test(name))
      .slice(0, DISKS_SHOWN)
      .map((name) => readDisk(reader, name)),
  )
  if (disks.length > 0) evidence.source('disks', `${BLOCK}/*/{size,queue/rotational,device/life_time}`)
  for (const disk of disks) tellWear(disk, evidence)
  return disks
}

async function readDisk(reader: HostReader, name: string): Promise<Disk> {
  const dir = `${BLOCK}/${name}`
  const [sectors, rotational, removable, model, mmcName, mmcType, lifeTime, preEol] = await Promise.all(
    ['size', 'queue/rotational', 'removable', 'device/model', 'device/name', 'device/type', 'device/life_time', 'device/pre_eol_info'].map((file) =>
      reader.read(`${dir}/${file}`),
    ),
  )
  const size = parseCount(sectors)
  const life = lifeUsed(lifeTime ?? null)
  const end = lookUp(END_OF_LIFE, preEol)
  const title = model ?? mmcName
  return {
    name,
    kind: kindOf(name, rotational ?? null, mmcType ?? null),
    ...(size === null || !Number.isSafeInteger(size * SECTOR) ? {} : { sizeBytes: size * SECTOR }),
    ...(title === null || title === undefined || title === '' ? {} : { model: title.trim().slice(0, 128) }),
    ...(removable === '1' ? { removable: true } : {}),
    ...(life === null ? {} : { lifeUsedPercent: life }),
    ...(end === undefined ? {} : { endOfLife: end }),
  }
}

function kindOf(name: string, rotational: string | null, mmcType: string | null): Disk['kind'] {
  if (name.startsWith('nvme')) return 'nvme'
  if (name.startsWith('mmcblk')) return mmcType === 'MMC' ? 'emmc' : 'sd'
  if (/^x?vd/.test(name)) return 'virtual'
  return rotational === '1' ? 'hdd' : 'ssd'
}

/** eMMC 5.0: `0x02 0x03` = 10-20 % and 20-30 % of the life of its two kinds of cells; 0x0b = past its rated life; 0 = not told. */
function lifeUsed(text: string | null): number | null {
  const steps = (text ?? '').split(/\s+/).flatMap((word) => (/^0x[0-9a-fA-F]{1,2}$/.test(word) ? [Number.parseInt(word, 16)] : []))
  const worst = Math.max(0, ...steps.filter((step) => step <= 0x0b))
  return worst === 0 ? null : worst * 10
}

const END_OF_LIFE: Readonly<Record<string, NonNullable<Disk['endOfLife']>>> = { '0x01': 'normal', '0x02': 'warning', '0x03': 'urgent' }
const WORN_PERCENT = 90

function tellWear({ name, lifeUsedPercent, endOfLife }: Disk, evidence: Evidence): void {
  if (endOfLife === 'warning' || endOfLife === 'urgent') {
    evidence.finding(`disk ${name} says that its spare blocks run out (${endOfLife}): replace it`, `${BLOCK}/${name}/device/pre_eol_info`)
  } else if (lifeUsedPercent !== undefined && lifeUsedPercent >= WORN_PERCENT) {
    evidence.finding(`disk ${name} has used up to ${lifeUsedPercent} % of its rated life: replace it`, `${BLOCK}/${name}/device/life_time`)
  }
}
