/** The host's time zone is found without loading what computes with zones, and is what that would say. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostZone } from '../edge-agent/host-zone.ts'
import { openZone } from '../protocol/calendar.ts'

const RUNTIME = new Intl.DateTimeFormat().resolvedOptions().timeZone

describe('the time zone of the host', () => {
  let root = ''
  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'skerry-zone-'))
    for (const name of ['Europe/Berlin', 'America/Argentina/Ushuaia', 'Etc/UTC', 'UTC', 'posix/Europe/Berlin']) {
      mkdirSync(path.join(root, 'usr/share/zoneinfo', path.dirname(name)), { recursive: true })
      writeFileSync(path.join(root, 'usr/share/zoneinfo', name), '')
    }
    mkdirSync(path.join(root, 'etc'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const linkedTo = (target: string): string => {
    rmSync(path.join(root, 'etc/localtime'), { force: true })
    symlinkSync(target, path.join(root, 'etc/localtime'))
    return hostZone(null, root)
  }

  it.each([
    ['/usr/share/zoneinfo/Europe/Berlin', 'Europe/Berlin'],
    ['../usr/share/zoneinfo/America/Argentina/Ushuaia', 'America/Argentina/Ushuaia'],
    ['/usr/share/zoneinfo/Etc/UTC', 'UTC'],
  ])('is what /etc/localtime points to: %s', (target, zone) => {
    expect(linkedTo(target)).toBe(zone)
  })

  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    [':Europe/Berlin', 'Europe/Berlin'],
    ['UTC', 'UTC'],
  ])('is what TZ=%s says, whatever the file says', (tz, zone) => {
    linkedTo('/usr/share/zoneinfo/America/Argentina/Ushuaia')
    expect(hostZone(tz, root)).toBe(zone)
  })

  it.each(['CET-1CEST', 'Mars/Olympus', '../../etc/passwd', '/usr/share/zoneinfo/Europe/Berlin', ''])('is asked of the runtime for TZ=%j', (tz) => {
    expect(hostZone(tz, root)).toBe(RUNTIME)
  })

  it('is asked of the runtime when the file is no link, or points elsewhere', () => {
    expect(linkedTo('/var/zones/Berlin')).toBe(RUNTIME)
    expect(linkedTo('/usr/share/zoneinfo/posix/Europe/Berlin')).toBe(RUNTIME)
    rmSync(path.join(root, 'etc/localtime'))
    writeFileSync(path.join(root, 'etc/localtime'), '')
    expect(hostZone(null, root)).toBe(RUNTIME)
  })

  it('UTC needs no rules', () => {
    for (const name of ['UTC', 'Etc/UTC']) expect(openZone(name)?.offsetMs(Date.UTC(2026, 6, 1))).toBe(0)
  })
})
