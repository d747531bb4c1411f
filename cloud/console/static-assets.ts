import { readFile, readdir } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

const SECURITY: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY.join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

interface Asset {
  readonly type: string
  readonly plain: Buffer
  readonly gzip: Buffer
  readonly cache: string
}

export interface StaticAssets {
  /** sends the file, or the app's page for any path that is not one */
  send(request: IncomingMessage, response: ServerResponse, file: string): void
}

/**
 * The built web app, read and compressed once. Files below `assets/` carry a hash in their name and never change.
 * Rejects when there is no index.html: the console was not built.
 */
export async function loadAssets(directory: string): Promise<StaticAssets> {
  const assets = new Map<string, Asset>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const full = path.join(entry.parentPath, entry.name)
    const type = TYPES[path.extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const name = path.relative(directory, full).split(path.sep).join('/')
    const plain = await readFile(full)
    const cache = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    assets.set(name, { type, plain, gzip: gzipSync(plain, { level: 9 }), cache })
  }
  const index = assets.get('index.html')
  if (index === undefined) throw new Error(`${directory} has no index.html; build the console first (npm run build)`)
  return {
    send(request, response, file) {
      const asset = assets.get(file) ?? (file.startsWith('assets/') ? undefined : index)
      if (asset === undefined) return void response.writeHead(404, SECURITY).end()
      const zipped = /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '')
      const body = zipped ? asset.gzip : asset.plain
      response.writeHead(200, {
        ...SECURITY,
        'content-type': asset.type,
        'cache-control': asset.cache,
        vary: 'accept-encoding',
        'content-length': body.byteLength,
        ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    },
  }
}
