/**
 * The image record in memory and on disk. INVARIANTS: one write at a time, and only the newest waits; a record that cannot be
 * read or written is a warning, never a reason to stop: it is a help, not a truth.
 */
import { NO_RECORD } from '../core/image-record.ts'
import type { ImageRecord } from '../core/image-record.ts'
import type { ImageRecordStore, Log } from '../ports.ts'

export interface ImageBook {
  /** resolves when the saved record was read, or could not be */
  readonly ready: Promise<void>
  record(): ImageRecord
  /** resolves when the change is durable or failed to be */
  update(change: (record: ImageRecord) => ImageRecord): Promise<void>
}

export function openImageBook(store: ImageRecordStore, log: Log): ImageBook {
  let record = NO_RECORD
  let saving: Promise<void> | null = null
  let dirty = false
  const why = (error: unknown): string => (error instanceof Error ? error.message : String(error))

  const ready = store.load().then(
    (saved) => {
      record = saved ?? NO_RECORD
    },
    (error: unknown) => log.warn('the image record cannot be read; a new one is begun', { why: why(error) }),
  )
  const save = async (): Promise<void> => {
    while (dirty) {
      dirty = false
      try {
        await store.save(record)
      } catch (error) {
        log.warn('the image record cannot be written', { why: why(error) })
      }
    }
    saving = null
  }
  return {
    ready,
    record: () => record,
    update: async (change) => {
      await ready
      const next = change(record)
      if (next === record) return
      record = next
      dirty = true
      saving ??= save()
      await saving
    },
  }
}
