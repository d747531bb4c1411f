/** What images need of the host: room on the disk, and whether the engine has own certificates for a registry. */
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ImageKeeperOptions } from './image-keeper.ts'

export const hostOfImages: Pick<ImageKeeperOptions, 'space' | 'hasOwnCertificate'> = {
  space: async (dataRoot) => {
    try {
      const { bsize, bavail, blocks } = await statfs(dataRoot)
      return { free: bsize * bavail, total: bsize * blocks }
    } catch {
      // the engine's folder is not visible from here
      return null
    }
  },
  hasOwnCertificate: (registry) =>
    access(path.join('/etc/docker/certs.d', registry)).then(
      () => true,
      () => false,
    ),
}

/** Nothing outlives the process: for an engine that is used without a state folder. */
export function passingImages(): ImageKeeperOptions {
  return {
    ...hostOfImages,
    record: { load: () => Promise.resolve(null), save: () => Promise.resolve() },
    stagingDir: path.join(tmpdir(), `skerry-images-${process.pid}`),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    onPulls: () => {},
  }
}
