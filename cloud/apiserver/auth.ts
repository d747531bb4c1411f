/** Who is calling: bearer tokens, kept and compared only as SHA-256. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { dirname } from 'node:path'

export interface Principal {
  readonly name: string
  readonly groups: readonly string[]
}

/** Kubernetes' name for those who may do everything. */
export const ADMIN_GROUP = 'system:masters'

export interface Authenticator {
  /** null = no valid token */
  principalOf(request: IncomingMessage): Principal | null
}

export interface KnownToken {
  readonly token: string
  readonly principal: Principal
}

export function tokenAuthenticator(known: readonly KnownToken[]): Authenticator {
  const entries = known.map(({ token, principal }) => ({ digest: digestOf(token), principal }))
  return {
    principalOf(request) {
      const match = /^Bearer ([\x21-\x7e]{1,512})$/.exec(request.headers.authorization ?? '')
      if (match?.[1] === undefined) return null
      const digest = digestOf(match[1])
      // every entry is compared: the time taken does not tell which one matched
      const found = entries.filter((entry) => timingSafeEqual(entry.digest, digest))
      return found[0]?.principal ?? null
    },
  }
}

export function isAdmin(principal: Principal): boolean {
  return principal.groups.includes(ADMIN_GROUP)
}

/** A token from `path`; made at first start, readable by the owner only. Throws when the file holds something else. */
export async function tokenFile(path: string): Promise<string> {
  const existing = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (existing === null) return createToken(path)
  const token = existing.trim()
  if (!/^[\x21-\x7e]{32,512}$/.test(token))
    throw new Error(`${path} does not hold a token of 32 to 512 printable characters; delete it to have a new one made`)
  return token
}

async function createToken(path: string): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${token}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return token
}

/** of a token or another secret, for comparing without telling how much of it was right */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
