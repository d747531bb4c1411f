/**
 * Health as Kubernetes tells it. `/livez`: this process answers, nothing more, so that nobody restarts it because something else
 * is away. `/readyz`: it can do its whole work; `?verbose` names each part, `?exclude=NAME` leaves one out of the verdict.
 */
import type { Answer } from './respond.ts'

export interface HealthPart {
  readonly name: string
  readonly ok: boolean
  /** what is known, in a few words */
  readonly says: string
}

export type Health = () => readonly HealthPart[]

const TEXT = 'text/plain; charset=utf-8'

export function healthAnswer(path: string, query: URLSearchParams, health: Health | undefined): Answer {
  const parts = path === '/livez' ? [] : (health?.() ?? [])
  const excluded = new Set(query.getAll('exclude'))
  const counted = parts.filter(({ name }) => !excluded.has(name))
  const ok = counted.every((part) => part.ok)
  if (ok && !query.has('verbose')) return { code: 200, json: 'ok', type: TEXT }
  const lines = [
    `[+]process ok`,
    ...parts.map(
      (part) => `[${part.ok ? '+' : '-'}]${part.name} ${part.ok ? 'ok' : `failed: ${part.says}`}${excluded.has(part.name) ? ' (excluded)' : ''}`,
    ),
    `${path.slice(1)} check ${ok ? 'passed' : 'failed'}`,
  ]
  return { code: ok ? 200 : 503, json: `${lines.join('\n')}\n`, type: TEXT }
}
