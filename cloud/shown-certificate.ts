/**
 * What this cloud shows to whoever connects over TLS, for as long as it runs: a certificate of its own authority, made anew before it
 * ends, or the operator's files, read again when they change. INVARIANTS: a key that does not fit its certificate is never shown; when
 * nothing better is to be had, what was shown before stays.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { PairFiles } from './config.ts'
import type { Clock, Log } from './ports.ts'

export interface Pair {
  readonly certPem: string
  readonly keyPem: string
}

export interface ShownCertificate {
  readonly first: Pair
  /** looks now, for whoever has just changed it */
  look(): Promise<void>
  stop(): void
}

/** @param read rejects with why there is none @throws when there is none at the start */
export async function keepShown(
  { clock, log, everyMs, what }: { readonly clock: Clock; readonly log: Log; readonly everyMs: number; readonly what: string },
  read: () => Promise<Pair>,
  show: (pair: Pair) => void,
): Promise<ShownCertificate> {
  const first = await read()
  let shown = first
  let stopped = false
  let cancel = (): void => undefined
  const warnOfEnd = (pair: Pair): void => {
    if (Date.parse(endOf(pair)) <= clock.nowMs()) log.error('the certificate that is shown has expired', { what, until: endOf(pair) })
  }
  warnOfEnd(first)
  const look = async (): Promise<void> => {
    try {
      const next = await read()
      if (next.certPem === shown.certPem && next.keyPem === shown.keyPem) return
      show(next)
      shown = next
      log.info('another certificate is shown', { what, until: endOf(next) })
      warnOfEnd(next)
    } catch (error) {
      log.error('no certificate can be read: the one before is shown on', { what, why: error instanceof Error ? error.message : String(error) })
    }
  }
  const arm = (): void => {
    if (!stopped) cancel = clock.after(everyMs, () => void look().finally(arm))
  }
  arm()
  return {
    first,
    look,
    stop: () => {
      stopped = true
      cancel()
    },
  }
}

/** Of an operator: whoever renews them writes the two one after the other, so a pair that does not fit may be half of a new one. */
export async function readPairFiles({ cert, key }: PairFiles): Promise<Pair> {
  const [certPem, keyPem] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')])
  try {
    createSecureContext({ cert: certPem, key: keyPem })
  } catch (error) {
    throw new Error(`${cert} and ${key} are not a certificate and its key: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return { certPem, keyPem }
}

function endOf({ certPem }: Pair): string {
  return new Date(new X509Certificate(certPem).validTo).toISOString()
}
