/** Caps of what is measured on the disk of a device. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const DISK_LIMITS = {
  diskUseMs: limit(60_000, 'ms', 'the kubelet looks at volumes about as often; an engine walks every file for it'),
  layerSizesMs: limit(60_000, 'ms', 'an engine that adds up the files of all containers on a slow card'),
  diskUseEntries: limit(100_000, 'count', 'files of one folder that are looked at; a folder with more counts for what was seen'),
  evictionDiskWorthBytes: limit(16 * 1024 * 1024, 'bytes', 'giving up a pod that holds less frees nothing'),
  evictionCalmMs: limit(20_000, 'ms', 'a condition for which nobody had to go holds this long: two samples without it'),
  imageReadBackMs: limit(1_200_000, 'ms', 'an image of 2 GB from a card that reads 2 MB/s'),
  imageProofMs: limit(90_000, 'ms', 'what was written this long ago is on the medium: the kernel writes back after 30 s'),
  evictionReclaimMs: limit(300_000, 'ms', 'images that nothing needs are removed this often while the disk is short, before pods are'),
} as const satisfies Record<string, Limit>
