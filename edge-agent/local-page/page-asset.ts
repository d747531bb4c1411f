import { promisify } from 'node:util'

/** The page, gzipped and in base64, put here by the bundler (`define`). A run from sources has none and shows the text view instead. */
declare const SKERRY_FIELD_PAGE: string | undefined

/** The whole field page: one HTML file with its script and style inside. Unpacked when somebody asks for it first: most gateways are never asked. */
export async function fieldPage(): Promise<string> {
  if (typeof SKERRY_FIELD_PAGE !== 'string') return TEXT_ONLY
  const { gunzip } = await import('node:zlib')
  return (await promisify(gunzip)(Buffer.from(SKERRY_FIELD_PAGE, 'base64'))).toString('utf8')
}

const TEXT_ONLY = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Skerry device</title><h1>Skerry device</h1>
<p>This agent was started from its sources, without the page. <a href="/text">Read the state as text</a>.</p></html>`
