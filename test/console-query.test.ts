import { describe, expect, it } from 'vitest'
import { DeviceField } from '../cloud/console/device-field.ts'
import { fleetTables } from '../cloud/console/fleet-tables.ts'
import { compareVersions, compileQuery, parseQuery, termOf, withTerm } from '../cloud/console/query.ts'
import { rowKinds } from '../cloud/console/row-fields.ts'
import { RowOrder } from '../cloud/console/row-order.ts'
import { RowView } from '../cloud/console/row-view.ts'
import type { DeviceRow } from '../cloud/console/view-model.ts'
import { standingByte } from '../cloud/console/vocabulary.ts'
import { pretendDevice } from './fixtures/console-devices.ts'

const NOW = 10_000_000
const { fields } = rowKinds(() => NOW).devices
const FLEET: readonly DeviceRow[] = [
  pretendDevice('gw-1', { standing: 'ok', labels: { 'topology.kubernetes.io/site': 'eu-3', line: '2' }, agent: 'v1.4.0' }),
  pretendDevice('gw-2', { standing: 'failed', labels: { 'topology.kubernetes.io/site': 'eu-3' }, agent: 'v1.10.0' }),
  pretendDevice('gw-3', {
    standing: 'offline',
    word: 'offline',
    labels: { 'topology.kubernetes.io/site': 'us-1' },
    agent: 'v1.3.9',
    heardAtMs: NOW - 7_200_000,
  }),
]

function found(query: string): readonly string[] {
  const { test } = compileQuery(parseQuery(query), fields)
  return FLEET.filter((row) => test === null || test(row)).map((row) => row.name)
}

describe('the query language', () => {
  it('reads fields, labels, comparisons, negation and text', () => {
    expect(found('')).toEqual(['gw-1', 'gw-2', 'gw-3'])
    expect(found('state:failed')).toEqual(['gw-2'])
    expect(found('state:failed,offline')).toEqual(['gw-2', 'gw-3'])
    expect(found('-state:failed')).toEqual(['gw-1', 'gw-3'])
    expect(found('site:eu-3')).toEqual(['gw-1', 'gw-2'])
    expect(found('site:eu-* agent<1.5')).toEqual(['gw-1'])
    expect(found('agent>=1.4')).toEqual(['gw-1', 'gw-2'])
    expect(found('heard>1h')).toEqual(['gw-3'])
    expect(found('line:2')).toEqual(['gw-1'])
    expect(found('US-1')).toEqual(['gw-3'])
    expect(found('"gw-1"')).toEqual(['gw-1'])
  })

  it('says what it does not understand, and hides nothing because of it', () => {
    const issues = (query: string): readonly string[] => compileQuery(parseQuery(query), fields).issues
    expect(issues('state:broken')[0]).toContain('state is never broken; it is failed, not-placed')
    expect(issues('pods>many')[0]).toBe('many is not a number.')
    expect(issues('heard>soon')[0]).toContain('90s, 5m, 2h or 3d')
    expect(issues('state:')[0]).toBe('state: needs a value.')
    expect(found('state:broken')).toHaveLength(3)
  })

  it('never breaks on junk', () => {
    for (const text of ['"', '-', ':::', 'a:"b', '<>', '\u0000', 'x'.repeat(5000), '- -a:', '__proto__:1', 'constructor:x'])
      expect(() => found(text)).not.toThrow()
    expect(found('__proto__:1')).toEqual([])
  })

  it('sets one field of a query and leaves the rest', () => {
    expect(withTerm('state:ok text "two words"', 'state', 'failed')).toBe('text "two words" state:failed')
    expect(withTerm('state:ok text', 'state', null)).toBe('text')
    expect(withTerm('', 'os', 'Debian GNU/Linux')).toBe('os:"Debian GNU/Linux"')
    expect(termOf('a os:"Debian GNU/Linux"', 'os')).toBe('Debian GNU/Linux')
  })

  it('orders versions as people do', () => {
    expect(['v1.10.0', '1.9', '1.9.0', '1.2-rc1'].toSorted(compareVersions)).toEqual(['1.2-rc1', '1.9', '1.9.0', 'v1.10.0'])
  })
})

describe('orders and views', () => {
  it('keep the order of a full sort under random changes', () => {
    const compare = (a: DeviceRow, b: DeviceRow): number => standingByte(a.standing) - standingByte(b.standing)
    const order = new RowOrder<DeviceRow>((row) => row.name, compare)
    const rows = new Map<string, DeviceRow>()
    let seed = 7
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    for (let step = 0; step < 4000; step += 1) {
      const name = `gw-${next(200)}`
      const before = rows.get(name) ?? null
      const after = next(5) === 0 ? null : pretendDevice(name, { standing: (['ok', 'failed', 'offline'] as const)[next(3)] ?? 'ok' })
      if (before === null && after === null) continue
      order.change(before, after)
      if (after === null) rows.delete(name)
      else rows.set(name, after)
      if (next(40) > 0) continue
      expect(order.rows()).toEqual([...rows.values()].sort((a, b) => compare(a, b) || (a.name < b.name ? -1 : 1)))
    }
  })

  it('show a window of what is found, as it is now, with counts', () => {
    const { devices } = fleetTables(() => NOW)
    for (const row of FLEET) devices.put(row)
    const view = new RowView(devices, 'site:eu-3', 'trouble')
    view.refresh(() => 0)
    expect(view.total).toBe(2)
    expect(view.window(0, 10).map((row) => row.name)).toEqual(['gw-2', 'gw-1'])
    devices.put(pretendDevice('gw-2', { standing: 'ok' }))
    expect(view.window(0, 1)[0]).toMatchObject({ name: 'gw-2', standing: 'ok' })
    expect(view.facets(['line']).find((facet) => facet.field === 'line')?.values).toEqual([{ value: '2', count: 1 }])
  })
})

describe('the field', () => {
  it('holds the same bytes by changes as made anew', () => {
    const { devices } = fleetTables(() => NOW)
    for (let at = 0; at < 500; at += 1) devices.put(pretendDevice(`gw-${at}`, { labels: { site: `s${at % 7}` } }))
    const field = new DeviceField(devices, '', 'site')
    field.refresh(new Map(), () => 0)
    const edition = field.edition
    const held = Buffer.from(field.bytes(), 'base64')
    const changed = new Map<string, DeviceRow | null>()
    for (let at = 0; at < 500; at += 3) {
      const row = pretendDevice(`gw-${at}`, { labels: { site: `s${at % 7}` }, standing: 'failed' })
      devices.put(row)
      changed.set(row.name, row)
    }
    field.refresh(changed, () => 0)
    expect(field.edition).toBe(edition)
    const changes = field.changes()
    for (let at = 0; at < changes.length; at += 2) held[changes[at] ?? 0] = changes[at + 1] ?? 0
    expect(held.toString('base64')).toBe(field.bytes())
    const anew = new DeviceField(devices, '', 'site')
    anew.refresh(new Map(), () => 0)
    expect(anew.bytes()).toBe(field.bytes())
    expect(anew.groups()).toEqual(field.groups())
    expect(
      field
        .groups()
        .map((group) => group.count)
        .reduce((a, b) => a + b),
    ).toBe(500)
  })
})
