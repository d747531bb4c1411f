/** Something of the cloud as a file on this computer. The token travels in a header, so a plain link would not do. */
import { call } from './session.ts'

/** null = it is saved; else the sentence that says why not. */
export async function saveFile(path: string, name: string, sending?: { readonly method: string; readonly body: string }): Promise<string | null> {
  let response: Response
  try {
    response = await call(path, sending === undefined ? {} : { 'content-type': 'application/json' }, undefined, sending)
    if (!response.ok) {
      const said = (await response.json().catch(() => null)) as { readonly message?: string } | null
      return said?.message ?? `The cloud answered ${response.status}.`
    }
    save(await response.blob(), name)
    return null
  } catch (error) {
    return `It did not come whole: ${error instanceof Error ? error.message : String(error)}.`
  }
}

export function saveText(text: string, name: string): void {
  save(new Blob([text], { type: 'text/plain' }), name)
}

function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // the browser has begun to read it by then
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
