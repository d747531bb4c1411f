/**
 * A device that was flashed with the key of its fleet fetches its own join file. INVARIANTS
 * - What it claims its name with is on the disk before it asks: an answer that gets lost is given again.
 * - The join file takes the place of the key at once or not at all, readable by root only.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ENROLL_CLAIM, ENROLL_PATH } from '../protocol/enroll.ts'
import type { EnrollFile } from '../protocol/enroll.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { boardIdentity } from './board-identity.ts'
import { JOIN_FILE } from './join-file.ts'
import { nodeDisk } from './store/disk.ts'

export interface Enrollment {
  readonly stateDir: string
  /** holds the key, and then what came for it */
  readonly joinFile: string
  readonly hardwareRoot: string
}

/** Rejects with a sentence: what the cloud says, or why it could not be asked. */
export async function enroll({ enroll: { url, ca, token } }: EnrollFile, { stateDir, joinFile, hardwareRoot }: Enrollment): Promise<string> {
  const claim = await claimIn(stateDir)
  const { status, text } = await post(new URL(ENROLL_PATH, url), { ca, token, body: JSON.stringify({ claim, ...boardIdentity(hardwareRoot) }) })
  const value = valueIn(text)
  if (status !== 201) throw new Error(messageIn(value) ?? `${url} answered ${status}`)
  const parsed = parse(JOIN_FILE, value)
  // an answer is not quoted: it may hold a password
  if (!parsed.ok) throw new Error(`${url} sent what is no join file: ${parsed.issues.map(({ path, kind }) => `${path} (${kind})`).join(', ')}`)
  await writeWhole(joinFile, `${JSON.stringify(value, null, 2)}\n`)
  return parsed.value.device
}

async function claimIn(stateDir: string): Promise<string> {
  const file = join(stateDir, 'enroll-claim')
  try {
    const found = readFileSync(file, 'utf8').trim()
    if (ENROLL_CLAIM.test(found)) return found
  } catch {
    // the first time
  }
  const made = randomBytes(16).toString('hex')
  await nodeDisk.makeDirectory(stateDir)
  await writeWhole(file, `${made}\n`)
  return made
}

async function writeWhole(file: string, text: string): Promise<void> {
  const next = `${file}.new`
  await nodeDisk.remove(next)
  await nodeDisk.createSynced(next, Buffer.from(text))
  await nodeDisk.rename(next, file)
  await nodeDisk.syncDirectory(dirname(file), file)
}

interface Asked {
  readonly ca: string | undefined
  readonly token: string
  readonly body: string
}

/** Bounded in time and size. */
async function post(url: URL, { ca, token, body }: Asked): Promise<{ readonly status: number; readonly text: string }> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const options = {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(LIMITS.enrollCallMs.value),
    ...(ca === undefined ? {} : { ca }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      const chunks: Buffer[] = []
      let got = 0
      response.on('data', (chunk: Buffer) => {
        got += chunk.byteLength
        chunks.push(chunk)
        if (got > LIMITS.enrollAnswerBytes.value) response.destroy(new Error(`${url.origin} sends more than a join file can be`))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The sentence in a Status. */
function messageIn(value: unknown): string | null {
  const { message } = (value ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' && message !== '' ? message.slice(0, LIMITS.messageText.value) : null
}
