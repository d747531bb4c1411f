/** Which backend takes the next connection. Pure but for its own memory: time comes in from outside. */
import { LIMITS } from '../../protocol/limits.ts'
import type { Backend } from '../core/service-model.ts'

export interface Chooser {
  /** the new list; what was learned about those that stay is kept */
  set(backends: readonly Backend[], affinitySeconds: number | null): void
  /** in the order in which they are to be tried for this client */
  order(client: string, nowMonoMs: number): readonly Backend[]
  took(client: string, backend: Backend, nowMonoMs: number): void
  /** it refused or did not answer: last in line for a while */
  failed(backend: Backend, nowMonoMs: number): void
}

export function createChooser(): Chooser {
  let near: readonly Backend[] = []
  let far: readonly Backend[] = []
  let affinityMs: number | null = null
  let turn = 0
  const skipUntil = new Map<string, number>()
  const faithful = new Map<string, { readonly key: string; readonly untilMonoMs: number }>()

  return {
    set(backends, affinitySeconds) {
      near = backends.filter((one) => one.near)
      far = backends.filter((one) => !one.near)
      affinityMs = affinitySeconds === null ? null : affinitySeconds * 1000
      const keys = new Set(backends.map(keyOf))
      for (const key of skipUntil.keys()) if (!keys.has(key)) skipUntil.delete(key)
      for (const [client, { key }] of faithful) if (affinityMs === null || !keys.has(key)) faithful.delete(client)
    },
    order(client, nowMonoMs) {
      turn += 1
      const inTurn = [...rotated(near, turn), ...rotated(far, turn)]
      const skipped = (one: Backend): boolean => (skipUntil.get(keyOf(one)) ?? 0) > nowMonoMs
      const known = affinityMs === null ? undefined : faithful.get(client)
      const rank = (one: Backend): number =>
        known !== undefined && known.untilMonoMs > nowMonoMs && known.key === keyOf(one) && !skipped(one) ? 0 : skipped(one) ? 2 : 1
      return inTurn.toSorted((a, b) => rank(a) - rank(b))
    },
    took(client, backend, nowMonoMs) {
      skipUntil.delete(keyOf(backend))
      if (affinityMs === null) return
      // the one that was asked for longest ago stands first
      faithful.delete(client)
      faithful.set(client, { key: keyOf(backend), untilMonoMs: nowMonoMs + affinityMs })
      for (const oldest of faithful.keys()) {
        if (faithful.size <= LIMITS.affinityClients.value) break
        faithful.delete(oldest)
      }
    },
    failed(backend, nowMonoMs) {
      skipUntil.set(keyOf(backend), nowMonoMs + LIMITS.backendSkipMs.value)
    },
  }
}

function keyOf({ host, port }: Backend): string {
  return `${host}:${port}`
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
