/** The page as one string, put here by the bundler (`define`). A run from sources has none and shows the text view instead. */
declare const SKERRY_FIELD_PAGE: string | undefined

/** The whole field page: one HTML file with its script and style inside. */
export function fieldPage(): string {
  return typeof SKERRY_FIELD_PAGE === 'string' ? SKERRY_FIELD_PAGE : TEXT_ONLY
}

const TEXT_ONLY = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Skerry device</title><h1>Skerry device</h1>
<p>This agent was started from its sources, without the page. <a href="/text">Read the state as text</a>.</p></html>`
