/**
 * The name of the host's time zone, for schedules and windows without one of their own. Read from where the host keeps it: the first question
 * to `Intl` costs a process 8 MiB, for as long as it lives, and most devices never ask another.
 */
import { existsSync, readlinkSync } from 'node:fs'
import path from 'node:path'

const ZONES = 'usr/share/zoneinfo'
/** `Europe/Berlin`, `Etc/GMT+5`, `UTC`; no rule (`CET-1CEST`), no path */
const NAME = /^(?:UTC|[A-Z][A-Za-z_]*(?:\/[A-Za-z0-9_+-]+)+)$/

/** @param tz what the environment says; null = nothing. @param root where the host's files are */
export function hostZone(tz: string | null, root = '/'): string {
  const name = tz === null ? nameOfLink(path.join(root, 'etc/localtime')) : tz.replace(/^:/, '')
  // what the host's own files do not know, the runtime may
  if (!NAME.test(name) || !existsSync(path.join(root, ZONES, name))) return new Intl.DateTimeFormat().resolvedOptions().timeZone
  return name === 'Etc/UTC' ? 'UTC' : name
}

function nameOfLink(file: string): string {
  try {
    return readlinkSync(file).split('/zoneinfo/')[1] ?? ''
  } catch {
    return ''
  }
}
