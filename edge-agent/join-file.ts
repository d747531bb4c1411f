/** The file by which a device belongs to a cloud: what may stand in it, and how it is read. It holds a password: no fault quotes it. */
import { readFileSync } from 'node:fs'
import { ENROLL_FILE } from '../protocol/enroll.ts'
import type { EnrollFile } from '../protocol/enroll.ts'
import { isDeviceId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import { LINK_WISH } from '../protocol/link.ts'
import { int, list, obj, oneOf, parse, required, str } from '../protocol/shape.ts'
import type { Infer } from '../protocol/shape.ts'

/** Written by `skerry join DEVICE`: who this device is, where its cloud is and whom it believes. */
export const JOIN_FILE = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  tenant: required(str({ min: 1, max: 63 })),
  broker: required(str({ min: 1, max: 2048 })),
  username: str({ max: 256 }),
  password: str({ max: 4096 }),
  ca: str({ max: 65_536 }),
  /** PIN of the device page; absent = made at the first start, see `skerry-agent pin` */
  pagePin: str({ pattern: /^\d{4,16}$/, says: '4 to 16 digits' }),
  /** who may see how the device stands without the PIN: everybody (summary), or nobody (pin) */
  pageRead: oneOf('summary', 'pin'),
  /** where live sessions are opened to; `ca` is the authority of its certificate, absent = the system's */
  cloud: obj({ url: required(str({ min: 1, max: 2048 })), ca: str({ max: 65_536 }) }),
  /** the link costs money: at most so much a day, then events are sent seldom; absent = no end */
  dataBudget: obj({ dayBytes: required(int(65_536)) }),
  /** what the link costs and how seldom it may be pinged; absent = by dataBudget, then by what the device is connected with */
  link: LINK_WISH,
  trustedKeys: required(list(obj({ kid: required(str({ min: 1, max: 64 })), publicPem: required(str({ min: 1, max: 4096 })) }), { max: 16 })),
})
export type JoinFile = Infer<typeof JOIN_FILE>

/** The file of a whole fleet in this place: the device fetches its own with it. null = it is not one. */
export function readEnrollFile(path: string): EnrollFile | null {
  try {
    return enrollFileIn(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

function enrollFileIn(value: unknown): EnrollFile | null {
  const parsed = parse(ENROLL_FILE, value)
  return parsed.ok && isCloudUrl(parsed.value.enroll.url) ? parsed.value : null
}

/** There is no such file, or it cannot be used: it may come. */
export class JoinError extends Error {}

/** @throws JoinError with the path, what is wrong and how to make one */
export function readJoinFile(path: string): JoinFile {
  const how = 'make one with: skerry join DEVICE'
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // JSON errors quote the text, and the text holds a password
    const why = error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error)
    throw new JoinError(`--join ${path} cannot be read: ${why}; ${how}`)
  }
  const parsed = parse(JOIN_FILE, value)
  if (!parsed.ok) {
    if (enrollFileIn(value) !== null) throw new JoinError(`--join ${path} holds the key of a fleet: the service fetches a file of its own with it`)
    throw new JoinError(`--join ${path} is not a join file: ${parsed.issues.map((issue) => `${issue.path} (${issue.kind})`).join(', ')}; ${how}`)
  }
  const { device, tenant, broker, cloud } = parsed.value
  if (!isDeviceId(device) || !isDeviceId(tenant))
    throw new JoinError(`--join ${path}: device and tenant must be lower case letters, digits and "-"; ${how}`)
  if (!/^(mqtts?|wss?):\/\/[^/]/.test(broker)) throw new JoinError(`--join ${path}: broker must be a URL such as mqtt://cloud.example:1883; ${how}`)
  if (cloud !== undefined && !isCloudUrl(cloud.url)) throw new JoinError(`--join ${path}: cloud.url must be https://HOST:PORT; ${how}`)
  return parsed.value
}

/** A token travels there: in clear only on this machine itself. */
function isCloudUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && /^(127\.[\d.]+|localhost|\[::1\])$/.test(url.hostname))
}
