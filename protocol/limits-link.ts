/** Caps of the way between device and cloud while little is said on it: pings, signs of life, silence. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const LINK_LIMITS = {
  mqttKeepaliveS: limit(
    45,
    'count',
    'seconds, on a link that costs nothing; proxies cut at 60. A device that is gone is noticed after half as much again',
  ),
  mqttKeepaliveMeteredS: limit(1_200, 'count', 'seconds, on a metered link: some 70 pings a day, 15 KB with all headers'),
  mqttKeepaliveMinS: limit(15, 'count', 'seconds: shorter is spent on pings alone'),
  mqttKeepaliveMaxS: limit(1_200, 'count', 'seconds; the broker refuses clients that would never time out'),
  mqttPongMs: limit(22_000, 'ms', 'a ping that is not answered by then is lost; a bad mobile link takes seconds'),
  linkGapGrowth: limit(3, 'count', 'a metered link is pinged after 45 s of quiet, then each time so much later: four pings lead to twenty minutes'),
  linkGapForgetMs: limit(604_800_000, 'ms', 'a router on the way that forgot a quiet connection is believed to do so for a week'),
  certificateFilesLookMs: limit(60_000, 'ms', 'certificates that an operator renewed are shown within it, also where nobody sends a signal'),
  ownCertificateLookMs: limit(43_200_000, 'ms', 'a certificate of our own is made anew a month before it ends'),
  presenceGraceMs: limit(3_000, 'ms', 'a device that takes another connection is gone for a moment: neither people nor pods need to know'),
  linkBeatMs: limit(7_200_000, 'ms', 'a metered device says this often that it is there, to a cloud behind a broker that lost its last will'),
  linkBeatQuickMs: limit(900_000, 'ms', 'the same on a link that costs nothing: 400 bytes in place of a whole report, which nothing new is in'),
  linkBeatQuietMs: limit(
    10_800_000,
    'ms',
    'two hours between two signs of life, one quiet time of the link, a lost connection and a slow way back: more is silence',
  ),
  linkRefreshMs: limit(259_200_000, 'ms', 'a report in which nothing changed goes over a metered link every third day: it has 7 KB for ten pods'),
} as const satisfies Record<string, Limit>
