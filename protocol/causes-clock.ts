/** The clock of a device: what waits for the right time (schedules, windows) says one of these. Workloads never wait for it. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

const SET = 'Set the clock, or let the device reach a time server (NTP). Workloads go on; schedules and windows wait.'

export const CLOCK_CAUSES = {
  'clock.behind': entry('device', 'when-resource-appears', 'The clock says {clock}, which is surely past: it was {floor} before.', SET),
  'clock.unproven': entry(
    'device',
    'when-resource-appears',
    'Nothing has confirmed the clock since the device started: no time server, no hardware clock, no cloud.',
    SET,
  ),
  'clock.jumped': entry('device', 'when-resource-appears', 'The clock jumped by {by}, and nothing has confirmed the new time yet.', SET),
  'clock.unsteady': entry(
    'device',
    'when-resource-appears',
    'The clock keeps jumping; it counts again after two quiet minutes.',
    'Find what sets the clock: two time services, a dying battery, a virtual machine that is paused.',
  ),
  'clock.wrong': entry('device', 'when-resource-appears', 'The clock is {by} off the time of the cloud.', SET),
} as const satisfies Record<string, CauseEntry>
