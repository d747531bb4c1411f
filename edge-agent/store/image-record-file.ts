/** The image record on disk, two generations of it, checked as the state file is. Losing it costs attempts, never a workload. */
import { LIMITS } from '../../protocol/limits.ts'
import { bool, int, list, map, obj, parse, required, str } from '../../protocol/shape.ts'
import type { ImageRecord } from '../core/image-record.ts'
import type { ImageRecordStore } from '../ports.ts'
import { nodeDisk } from './disk.ts'
import type { Disk } from './disk.ts'
import { DurableFile } from './durable-file.ts'

const max = LIMITS.imagesRemembered.value
const ID = str({ min: 1, max: 128 })
const REFERENCE = str({ min: 1, max: 512 })

const RECORD = obj({
  used: required(int()),
  images: required(
    list(
      obj({ id: required(ID), reference: required(REFERENCE), digest: ID, used: required(int()), repairs: int(), damaged: bool(), unproven: bool() }),
      { max },
    ),
  ),
  pins: required(list(obj({ image: required(REFERENCE), release: required(str({ max: 256 })), id: required(ID), digest: ID }), { max })),
  attempts: required(map(int(), { max })),
})

/** `load` rejects when there was a record and it cannot be read. */
export function openImageRecordFile(dir: string, disk: Disk = nodeDisk): ImageRecordStore {
  const file = new DurableFile<ImageRecord>({
    disk,
    dir,
    name: 'images.json',
    marker: '.images-initialised',
    decode: (body) => {
      const parsed = parse(RECORD, body)
      return parsed.ok ? { ok: true, value: parsed.value } : { ok: false, why: `${parsed.issues[0]?.path ?? ''} ${parsed.issues[0]?.message ?? ''}` }
    },
  })
  return { load: () => file.read(), save: (record) => file.write(record) }
}
