import { createHash } from 'node:crypto'

/**
 * Headers for a page that is one file: only its own inlined script and style may run, named by hash; it may talk to this
 * server and nothing else, and nobody may frame it.
 */
export function pageHeaders(html: string): Readonly<Record<string, string>> {
  const scripts = inlined(html, /<script>([\s\S]*?)<\/script>/g)
  const styles = inlined(html, /<style>([\s\S]*?)<\/style>/g)
  const policy = [
    "default-src 'none'",
    `script-src ${scripts}`,
    `style-src ${styles}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { ...plainHeaders(), 'content-security-policy': policy }
}

/** Headers of everything else: never sniffed, framed, cached or sent on as a referrer. */
export function plainHeaders(): Readonly<Record<string, string>> {
  return {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}

function inlined(html: string, pattern: RegExp): string {
  const hashes = [...html.matchAll(pattern)].map(
    (match) =>
      `'sha256-${createHash('sha256')
        .update(match[1] ?? '')
        .digest('base64')}'`,
  )
  return hashes.length === 0 ? "'none'" : hashes.join(' ')
}
