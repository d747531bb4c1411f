/** Asking the device to do something. The session lives in this tab's memory only and travels in a header. */
import { signal } from '@preact/signals'

/** null = not signed in */
export const session = signal<string | null>(null)
/** who acts; kept for the next action of this tab */
export const owner = signal('')
/** what waits for the sign-in to succeed */
export const signInFor = signal<(() => void) | null>(null)

export interface Told {
  readonly ok: boolean
  readonly says: string
  readonly response: Response | null
}

/** Headers of every request that needs the session. */
export function sessionHeaders(): Record<string, string> {
  return session.value === null ? {} : { 'x-skerry-session': session.value }
}

/** Posts; a session that is over asks for the PIN again and then repeats. */
export async function post(path: string, body: object): Promise<Told> {
  let response: Response
  try {
    const headers = { 'content-type': 'application/json', ...sessionHeaders() }
    response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  } catch {
    return { ok: false, says: 'The device did not answer.', response: null }
  }
  if (response.status === 401) session.value = null
  if (response.ok) return { ok: true, says: '', response }
  const told = (await response.json().catch(() => ({}))) as { readonly says?: unknown }
  return { ok: false, says: typeof told.says === 'string' ? told.says : `The device answered ${response.status}.`, response }
}

/** Runs it now, or after the PIN was given. */
export function signedIn(run: () => void): void {
  if (session.value === null) signInFor.value = run
  else run()
}

/** '' when it worked, else why not */
export async function signIn(pin: string): Promise<string> {
  const told = await post('/api/v1/sign-in', { pin })
  if (!told.ok || told.response === null) return told.says
  const answer = (await told.response.json()) as { readonly token: string }
  session.value = answer.token
  const run = signInFor.value
  signInFor.value = null
  run?.()
  return ''
}
