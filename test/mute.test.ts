/** Mutes: whose they are is said by the server, they end, and ended ones go. */
import { expect, it } from 'vitest'
import { MUTES } from '../cloud/resources/mute.ts'
import type { Mute } from '../cloud/resources/mute.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parseStamp } from '../protocol/stamp.ts'

const NOW = '2026-03-04T10:00:00Z'
const mute = (until: string): Mute => ({
  apiVersion: 'skerry.dev/v1',
  kind: 'Mute',
  metadata: { name: 'm' },
  spec: { problem: 'node.silent', until, reason: 'the site is closed' },
  by: 'somebody else',
})

it('is signed by the server and lasts thirty days at most', () => {
  const stamped = (until: string): Mute | undefined => MUTES.stamp?.(mute(until), null, { name: 'admin', nowIso: NOW })
  expect(stamped('2026-03-05T10:00:00Z')).toMatchObject({ by: 'admin', spec: { until: '2026-03-05T10:00:00Z' } })
  expect(parseStamp(stamped('2036-03-04T10:00:00Z')?.spec.until ?? '')).toBe(parseStamp(NOW) + LIMITS.muteMs.value)
  expect(MUTES.validate(mute('next week'), null).map(({ path }) => path)).toEqual(['spec.until'])
  expect(MUTES.validate(mute(NOW), null)).toEqual([])
})
