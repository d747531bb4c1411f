/** The token of this tab. Kept in sessionStorage: gone with the tab, never in an address or a cookie. */
import { signal } from '@preact/signals'

const KEY = 'skerry-token'

export const token = signal<string | null>(sessionStorage.getItem(KEY))
/** why the last token was not taken */
export const refused = signal('')

/** `#token=…` is read once and removed from the address at once, so that it is neither shared nor kept in the history. */
export function takeTokenFromAddress(): void {
  const match = /^#token=([\x21-\x7e]{1,512})$/.exec(location.hash)
  if (match?.[1] === undefined) return
  history.replaceState(null, '', location.pathname + location.search)
  setToken(decodeURIComponent(match[1]))
}

export function setToken(value: string): void {
  sessionStorage.setItem(KEY, value)
  refused.value = ''
  token.value = value
}

export function forgetToken(why: string): void {
  sessionStorage.removeItem(KEY)
  refused.value = why
  token.value = null
}

interface Sending {
  readonly method: string
  readonly body?: string
}

/** The console's own data. A 401 ends the session, and so does a token that may not look at it; any other failure is thrown as a sentence. */
export async function ask(path: string, headers: Readonly<Record<string, string>> = {}, abort?: AbortSignal, sending?: Sending): Promise<Response> {
  const response = await call(`/console/api/${path}`, headers, abort, sending)
  if (response.status === 403) {
    forgetToken('This token is valid, but may not look at the fleet: use the one of an administrator.')
    throw new Error('not allowed')
  }
  if (!response.ok) throw new Error(`the cloud answered ${response.status}`)
  return response
}

/** Any path of the API with the token; the caller reads the status. A 401 ends the session. */
export async function call(path: string, headers: Readonly<Record<string, string>> = {}, abort?: AbortSignal, sending?: Sending): Promise<Response> {
  const response = await fetch(path, {
    ...sending,
    headers: { authorization: `Bearer ${token.value ?? ''}`, ...headers },
    cache: 'no-store',
    ...(abort === undefined ? {} : { signal: abort }),
  })
  if (response.status === 401) {
    forgetToken('This token is not valid.')
    throw new Error('not signed in')
  }
  return response
}
