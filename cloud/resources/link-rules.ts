/** On a Node: `skerry.dev/link-class` and `skerry.dev/keepalive-seconds`, what the link of its device may cost. */
import { LINK_WISH } from '../../protocol/link.ts'
import type { LinkWish } from '../../protocol/link.ts'
import { parse } from '../../protocol/shape.ts'
import type { Issue } from '../../protocol/shape.ts'
import type { KubeObject } from './object.ts'

export const LINK_CLASS_ANNOTATION = 'skerry.dev/link-class'
export const KEEPALIVE_ANNOTATION = 'skerry.dev/keepalive-seconds'

/** null = nothing is said, or nothing that could be read */
export function linkWish(object: KubeObject): LinkWish | null {
  const parsed = parse(LINK_WISH, said(object))
  return parsed.ok && Object.keys(parsed.value).length > 0 ? parsed.value : null
}

export function linkIssues(object: KubeObject): readonly Issue[] {
  const parsed = parse(LINK_WISH, said(object))
  if (parsed.ok) return []
  const name = (path: string): string => (path.includes('class') ? LINK_CLASS_ANNOTATION : KEEPALIVE_ANNOTATION)
  return parsed.issues.map((issue) => ({ ...issue, path: `metadata.annotations[${JSON.stringify(name(issue.path))}]` }))
}

function said({ metadata: { annotations = {} } }: KubeObject): Readonly<Record<string, unknown>> {
  const linkClass = annotations[LINK_CLASS_ANNOTATION]
  const keepalive = annotations[KEEPALIVE_ANNOTATION]
  return {
    ...(linkClass === undefined ? {} : { class: linkClass }),
    // a text that is no whole number stays one, so that it is refused as it was written
    ...(keepalive === undefined ? {} : { keepaliveSeconds: /^\d{1,6}$/.test(keepalive) ? Number(keepalive) : keepalive.slice(0, 64) }),
  }
}
