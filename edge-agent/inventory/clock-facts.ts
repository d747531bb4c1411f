/**
 * What the host tells about its clock, from files alone (adjtimex is out of reach without a process): what time services
 * touch when they have set it, the battery-backed clock, and the uptime.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { ClockFacts } from '../core/clock-trust.ts'
import { createHostReader } from './host-reader.ts'

/**
 * timesyncd touches its file at every answer of a server; chrony and ntpd write the drift of the clock about once an hour, and
 * only while they follow a server.
 */
const TRACES = [
  '/run/systemd/timesync/synchronized',
  '/var/lib/chrony/drift',
  '/var/lib/chrony/chrony.drift',
  '/var/lib/ntpsec/ntp.drift',
  '/var/lib/ntp/ntp.drift',
] as const
const RTC = '/sys/class/rtc/rtc0'

/** @param root other than / in tests and demonstrations */
export async function readClockFacts(root: string): Promise<ClockFacts> {
  const reader = createHostReader(root)
  const traces: Record<string, number> = {}
  for (const file of TRACES) {
    const found = await stat(path.join(root, file)).catch(() => null)
    if (found !== null) traces[file] = Math.round(found.mtimeMs)
  }
  const uptime = Number((await reader.read('/proc/uptime'))?.split(' ')[0])
  // only the clock that the kernel took the time from; one that starts at nothing at each boot says so by its time
  const isSource = (await reader.read(`${RTC}/hctosys`)) === '1'
  const seconds = isSource ? Number(await reader.read(`${RTC}/since_epoch`)) : Number.NaN
  return {
    uptimeMs: Number.isFinite(uptime) ? uptime * 1000 : null,
    traces,
    hardwareMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null,
  }
}
