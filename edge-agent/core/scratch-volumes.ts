/** emptyDir volumes on the disk of the device: which there are, and what they hold. */
import type { DesiredPod } from './model.ts'

/** Bytes of each, by pod uid and volume. */
export type VolumeUse = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Names of those of a pod. @param onlyLimited those that have a sizeLimit */
export function scratchVolumes({ spec }: DesiredPod, onlyLimited: boolean): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ name, emptyDir }) =>
    emptyDir === undefined || emptyDir.medium === 'Memory' || (onlyLimited && emptyDir.sizeLimit === undefined) ? [] : [name],
  )
}
