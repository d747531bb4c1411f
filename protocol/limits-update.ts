/** Caps of updates on the device: how long a revision is tried, how long one may be held, how long a device is alone. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const UPDATE_LIMITS = {
  updateWindowLength: limit(256, 'count', 'a line: a window for each day of the week, twice'),
  readyDeadlineMs: limit(300_000, 'ms', 'what a new revision has to become ready on the device unless it says otherwise; as Nomad'),
  readyDeadlineMaxMs: limit(86_400_000, 'ms', 'a revision that is not ready after a day will not be'),
  revisionStableMs: limit(10_000, 'ms', 'ready for this long is healthy: a container without probes that ends at once is not'),
  trialStarts: limit(3, 'count', 'starts of the agent while one revision is on trial: one that takes the device down never reaches its deadline'),
  updateLockMaxMs: limit(604_800_000, 'ms', 'a week: whatever a lock says, it does not hold an update for ever'),
  disconnectMarginMs: limit(
    90_000,
    'ms',
    'a device needs this long at most, beside the grace period, to see that its time is over and to stop what runs',
  ),
  disconnectSaveMs: limit(60_000, 'ms', 'a reboot may give back at most this much of the time without the cloud, where no clock is believed'),
  disconnectStopMaxMs: limit(2_592_000_000, 'ms', 'a month: longer means keep'),
} as const satisfies Record<string, Limit>
