/** Limits that keep the cost of a device flat, and what is counted of the fleet: rows of the one table, see limits.ts. */
import { limit } from './limit-entry.ts'

export const SCALE_LIMITS = {
  reconnectHeldMs: limit(20_000, 'ms', 'a link that held this long was no accident: half of the failures before it are forgotten'),
  askReportsMs: limit(5_000, 'ms', 'a broker hands over what it kept in a second or two; a device of which there is no report by then is asked'),
  deviceWorkers: limit(64, 'count', 'devices that are worked on at once: while they wait for the disk they share commits'),
  workTurnMs: limit(20, 'ms', 'the longest that one queue keeps the event loop to itself: connects of devices are answered between'),
  workPauseFromMs: limit(
    50,
    'ms',
    'a pass over one key that takes longer looks at a fleet: its next one waits as long, so that others get their turn',
  ),
  workPauseMaxMs: limit(1_000, 'ms', 'a second is the longest that a count of a workload may be old'),
  podsPerPass: limit(500, 'count', 'pods that one pass over a workload makes, changes or removes: Kubernetes uses the same burst'),
  muteMs: limit(2_592_000_000, 'ms', 'thirty days: what is muted for longer is not looked after by anybody'),
  muteLookMs: limit(600_000, 'ms', 'ended mutes are taken away this often; they have no effect meanwhile'),
  metricWorkloads: limit(200, 'count', 'workloads that have series of their own in the metrics; the rest is counted together'),
  metricSeries: limit(2_000, 'count', 'series of one metric: a scrape stays readable whatever comes in'),
  metricCauses: limit(64, 'count', 'causes that hold at once on one device: more are not looked at one by one'),
  metricReadingMs: limit(5_000, 'ms', 'readings for a scrape are this old at most: many scrapers cost a device no more than one'),
} as const
