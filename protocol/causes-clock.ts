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
  'schedule.held.concurrency': entry(
    'policy',
    'when-resource-appears',
    'The run of {due} waits: {active} earlier runs are not over, and {policy}.',
    'Wait for them, or look why they take so long.',
  ),
  'schedule.held.override': entry('user', 'when-target-changes', 'No run is begun: the device is in safe mode.', 'End safe mode on the device page.'),
  'schedule.never': entry('spec', 'when-target-changes', 'The schedule {schedule} ({zone}) is never due here: {why}.', 'Correct the schedule.'),
  'agent.update.failed': entry(
    'device',
    'backoff',
    'Agent {version} could not be installed: {why}. The running one goes on.',
    'Check the file in the folder of agents of the cloud, and the way there.',
  ),
  'agent.returned': entry(
    'device',
    'when-target-changes',
    'Agent {version} was given up, {why}; the one before runs again.',
    'Look at the log of the device; ask for another version, or the same one built anew.',
  ),
} as const satisfies Record<string, CauseEntry>
