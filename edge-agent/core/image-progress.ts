/** How far a pull is, in words and as news. */
import type { ContainerReport } from '../../protocol/status-report.ts'
import { humanBytes } from '../../protocol/units.ts'
import type { PullProgress } from './model.ts'

const MB = 1_000_000

/** `layer 5 of 7, 43 of 120 MB, attempt 3, resumes` */
export function progressText(pull: PullProgress): string {
  const { attempt, layersDone, layersTotal, bytesDone, bytesTotal } = pull
  const parts: string[] = []
  if (layersTotal > 0) {
    parts.push(`layer ${Math.min(layersDone + 1, layersTotal)} of ${layersTotal}`)
    parts.push(`${Math.floor(bytesDone / MB)} of ${Math.ceil(bytesTotal / MB)} MB`)
  }
  if (attempt > 1) parts.push(`attempt ${attempt}`, ...(bytesDone > 0 ? ['resumes'] : []))
  if (pull.limit !== undefined) parts.push(`limited to ${humanBytes(pull.limit)}/s`)
  if (pull.unheld === true) parts.push('not limited: the engine fetches it itself')
  return parts.length === 0 ? 'starting' : parts.join(', ')
}

export function reportOfPull({ attempt, layersDone, layersTotal, bytesDone, bytesTotal }: PullProgress): NonNullable<ContainerReport['pull']> {
  return { attempt, layersDone, layersTotal, bytesDone, bytesTotal }
}

/** Layers, attempts and tenths are worth a message over a metered link; single bytes are not. */
export function newsOfPull(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { attempt, layersDone, bytesDone, bytesTotal } = value as PullProgress
  return [attempt, layersDone, bytesTotal === 0 ? 0 : Math.floor((10 * bytesDone) / bytesTotal)]
}
