/** Is this request one that our own page, or a person with curl, made? What another web site made is refused before it is read. */
import type { IncomingHttpHeaders } from 'node:http'

export interface Refusal {
  readonly status: number
  readonly says: string
}

/** Why a request that acts is refused whatever it asks, or null. The Host header was checked before. */
export function actionRefusal(headers: IncomingHttpHeaders): Refusal | null {
  const { host, origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return { status: 403, says: 'Another web site sent this; it is refused.' }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return { status: 403, says: 'Another web site sent this; it is refused.' }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') return { status: 415, says: 'Send it as application/json.' }
  return null
}

/** The session's token; a header that a form or an image of another site cannot set. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-skerry-session']
  return typeof given === 'string' && given.length <= 128 ? given : undefined
}
