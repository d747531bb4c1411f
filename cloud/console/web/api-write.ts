/** Writes through the same API that kubectl and skerry use. */
import { call } from './session.ts'

export interface FieldFault {
  readonly field: string
  readonly message: string
}

export type Written =
  | { readonly ok: true; readonly object: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly status: number; readonly message: string; readonly faults: readonly FieldFault[] }

export async function write(method: string, path: string, body: unknown, type = 'application/json'): Promise<Written> {
  let response: Response
  try {
    response = await call(path, { 'content-type': type }, undefined, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  } catch (error) {
    return { ok: false, status: 0, message: `The cloud cannot be reached: ${error instanceof Error ? error.message : String(error)}.`, faults: [] }
  }
  const answer = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>
  if (response.ok) return { ok: true, object: answer }
  const details = answer['details'] as { readonly causes?: readonly FieldFault[] } | undefined
  const message = typeof answer['message'] === 'string' ? answer['message'] : `The cloud answered ${response.status}.`
  return { ok: false, status: response.status, message, faults: (details?.causes ?? []).map(({ field, message }) => ({ field, message })) }
}

/** null = done; else the sentence that says why not. */
export async function send(method: string, path: string, body: unknown, type?: string): Promise<string | null> {
  const written = await write(method, path, body, type)
  return written.ok ? null : written.message
}
