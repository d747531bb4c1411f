/** What the client wants back: `Accept` lists in order, the first form that is served wins; everything else is JSON. */

export type Wanted =
  | { readonly as: 'json' }
  | { readonly as: 'table'; readonly version: 'v1' | 'v1beta1' }
  | { readonly as: 'discovery'; readonly version: 'v2' | 'v2beta1' }

export function wantedForm(accept: string | undefined): Wanted {
  for (const item of (accept ?? '').split(',')) {
    const [type, ...pairs] = item.split(';').map((part) => part.trim())
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue
    const served = form(new Map(pairs.map(pair)))
    if (served !== null) return served
  }
  return { as: 'json' }
}

/** null = a form that is not served (`as=PartialObjectMetadata`): the next of the list may be */
function form(parameters: ReadonlyMap<string, string>): Wanted | null {
  const version = parameters.get('v')
  const as = parameters.get('as')
  if (as === undefined) return { as: 'json' }
  if (as === 'Table') return { as: 'table', version: version === 'v1beta1' ? 'v1beta1' : 'v1' }
  if (as === 'APIGroupDiscoveryList') return { as: 'discovery', version: version === 'v2beta1' ? 'v2beta1' : 'v2' }
  return null
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** Booleans of query strings as Go's strconv reads them (Python sends `True`); null = not a boolean. */
export function goBoolean(text: string | null): boolean | null {
  if (text === null) return false
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(0|f|F|false|FALSE|False|)$/.test(text)) return false
  return null
}
