/** The device's disk as one process sees it: every operation takes time, so that a kill or a power cut falls between two of them. */
import type { Disk } from '../../edge-agent/store/disk.ts'
import type { FakeDisk } from '../fakes/disk.ts'
import type { Prng } from './prng.ts'
import type { ProcessClock } from './virtual-time.ts'

/** @param lies `syncDirectory` does nothing, as with a card that acknowledges a flush it did not do */
export function diskOfProcess(disk: FakeDisk, clock: ProcessClock, random: Prng, lies: boolean): Disk {
  const slowly = async <T>(run: () => Promise<T>): Promise<T> => {
    await clock.sleep(random.int(0, 8))
    return run()
  }
  return {
    read: (file) => disk.read(file),
    list: (dir) => disk.list(dir),
    makeDirectory: () => slowly(() => disk.makeDirectory()),
    createSynced: (file, bytes) => slowly(() => disk.createSynced(file, bytes)),
    appendSynced: (file, bytes) => slowly(() => disk.appendSynced(file, bytes)),
    link: (from, to) => slowly(() => disk.link(from, to)),
    rename: (from, to) => slowly(() => disk.rename(from, to)),
    remove: (file) => slowly(() => disk.remove(file)),
    syncDirectory: () => slowly(() => (lies ? Promise.resolve() : disk.syncDirectory())),
  }
}
