/** `skerry.dev/telemetry-seconds` on a Node: readings of it and its pods are taken this often, also while it is offline. */
import type { Issue } from '../../protocol/shape.ts'
import type { KubeObject } from './object.ts'

export const TELEMETRY_ANNOTATION = 'skerry.dev/telemetry-seconds'

const LEAST = 10
const MOST = 3600

/** null = the annotation is absent, or is not one of ours to read */
export function telemetrySeconds(object: KubeObject): number | null {
  const text = object.metadata.annotations?.[TELEMETRY_ANNOTATION]
  if (text === undefined || !/^\d{1,4}$/.test(text)) return null
  const seconds = Number(text)
  return seconds >= LEAST && seconds <= MOST ? seconds : null
}

export function telemetryIssues(object: KubeObject): readonly Issue[] {
  const text = object.metadata.annotations?.[TELEMETRY_ANNOTATION]
  if (text === undefined || telemetrySeconds(object) !== null) return []
  const message = `must be a whole number of seconds from ${LEAST} to ${MOST}, is ${JSON.stringify(text.slice(0, 64))}`
  return [{ path: `metadata.annotations[${JSON.stringify(TELEMETRY_ANNOTATION)}]`, kind: 'invalid', message }]
}
