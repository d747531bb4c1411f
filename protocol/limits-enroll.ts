/** Caps of coming to belong to a cloud: waiting for a join file, and one file with which many devices fetch their own. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const ENROLL_LIMITS = {
  joinLookMs: limit(10_000, 'ms', 'a device that belongs nowhere yet looks for its join file; whoever copied it there waits before the page'),
  enrollHours: limit(72, 'count', 'hours that a key is good for when nobody says: cards are flashed today and gateways mounted in the next days'),
  enrollHoursMax: limit(8_760, 'count', 'a year: images are flashed by a factory long before they are switched on'),
  enrollDevices: limit(100, 'count', 'devices that one key is good for when nobody says: a batch; more is said on purpose'),
  enrollDevicesMax: limit(100_000, 'count', 'the largest fleet that is tried here'),
  enrollIdentity: limit(128, 'count', 'characters of a serial number; firmware tables long kept their texts to 64'),
  enrollWaiting: limit(256, 'count', 'devices whose request waits for its turn; the rest is told to come again, for a fleet wakes at once'),
  enrollRetryMs: limit(300_000, 'ms', 'a device that was not let in asks again this often at the most; it costs nobody anything'),
  enrollCallMs: limit(30_000, 'ms', 'one question over a slow link, with its TLS handshake'),
  enrollAnswerBytes: limit(
    256 * 1024,
    'bytes',
    'the largest join file: two certificates of 64 KiB, sixteen keys of 4; one without a certificate has 1 KiB',
  ),
} as const satisfies Record<string, Limit>
