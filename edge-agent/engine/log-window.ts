/**
 * Which part of a container's log is asked for. The agent restarts a container in place, so one log holds all its runs; as in
 * Kubernetes, the log of a container is that of its current run, and `previous` that of the runs before. Pure.
 */
import type { LogsAsked } from '../ports.ts'

export interface RunTimes {
  readonly Running: boolean
  /** RFC 3339; year 1 = never */
  readonly StartedAt: string
  readonly FinishedAt: string
}

export interface LogQuery {
  readonly follow: boolean
  readonly timestamps: boolean
  readonly tail: number | 'all'
  /** seconds and nanoseconds */
  readonly since?: string
  readonly until?: string
}

export type LogWindow = { readonly ok: true; readonly query: LogQuery } | { readonly ok: false; readonly why: string }

/** a program may write before the engine has noted that it runs */
const START_SLACK_MS = 500

export function logWindow(asked: LogsAsked, run: RunTimes, wallMs: number): LogWindow {
  const boundary = boundaryMs(run)
  const wanted =
    asked.sinceTime !== undefined ? Date.parse(asked.sinceTime) : asked.sinceSeconds !== undefined ? wallMs - asked.sinceSeconds * 1_000 : null
  if (wanted !== null && Number.isNaN(wanted))
    return { ok: false, why: `sinceTime ${JSON.stringify(asked.sinceTime)} is not a time such as 2026-01-31T10:00:00Z` }
  const base = { timestamps: asked.timestamps === true, tail: asked.tailLines ?? ('all' as const) }
  if (asked.previous === true) {
    if (boundary === null) return { ok: false, why: 'previous terminated container not found: it has run only once' }
    return {
      ok: true,
      query: { ...base, tail: 'all', follow: false, until: seconds(boundary), ...(wanted === null ? {} : { since: seconds(wanted) }) },
    }
  }
  const since = Math.max(boundary ?? -Infinity, wanted ?? -Infinity)
  return { ok: true, query: { ...base, follow: asked.follow === true, ...(since === -Infinity ? {} : { since: seconds(since) }) } }
}

/** Between the current run and the one before; null when there was only one. While it runs the engine still tells when the last run ended. */
function boundaryMs(run: RunTimes): number | null {
  const started = Date.parse(run.StartedAt)
  const finished = Date.parse(run.FinishedAt)
  if (!(finished > 0) || !(started > 0)) return null
  if (run.Running) return finished
  return started - START_SLACK_MS
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1_000).toFixed(3)
}
