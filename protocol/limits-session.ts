/** Caps of live sessions: logs, exec, attach, port-forward. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const SESSION_LIMITS = {
  sessionArgvBytes: limit(16 * 1024, 'bytes', 'arguments of one exec: the header block of an HTTP request holds no more'),
  sessionsPerDevice: limit(8, 'count', 'live sessions of one device at once; a gateway is not a jump host'),
  sessionsOpen: limit(512, 'count', 'live sessions of one cloud process; each may hold a few buffers of 64 KiB'),
  sessionAnswerMs: limit(15_000, 'ms', 'a device in contact opens its socket in a second or two; kubectl users wait no longer'),
  sessionRefusedMs: limit(3_000, 'ms', 'kubectl asks a second time in the older protocol: it gets the same answer at once'),
  sessionIdleMs: limit(14_400_000, 'ms', 'the kubelet closes a stream without traffic after four hours'),
  sessionMaxMs: limit(43_200_000, 'ms', 'a session that was forgotten open ends within half a day'),
  sessionBytes: limit(4 * 1024 * 1024 * 1024, 'bytes', 'one session may not use up a data plan without end'),
  sessionMessageBytes: limit(64 * 1024, 'bytes', 'one message between device and cloud; longer writes are cut up'),
  sessionChunkBytes: limit(32 * 1024, 'bytes', 'what kubectl itself reads and writes at once'),
  sessionClientBytes: limit(1024 * 1024, 'bytes', 'one message of a client: other clients than kubectl send a paste at once'),
  sessionPingMs: limit(10_000, 'ms', 'a socket whose other end is gone is found by a ping that nobody answers, within two of them'),
  sessionStreams: limit(64, 'count', 'connections of one port-forward at once: a browser opens six a page'),
  logsAtOnce: limit(32, 'count', 'logs in one answer: each is a session of its own, and nobody reads more beside each other'),
  sessionsSeen: limit(256, 'count', 'ids of past commands: one delivered twice opens no second session'),
  sessionTellMs: limit(30_000, 'ms', 'bytes of an open session are told this often'),
  spdyHeaderBytes: limit(16 * 1024, 'bytes', 'headers of one stream: kubectl sends four short ones'),
  spdyFrameBytes: limit(1024 * 1024, 'bytes', 'the largest data frame taken; kubectl writes 32 KiB'),
} as const satisfies Record<string, Limit>
