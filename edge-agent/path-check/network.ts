/** Questions to the network, each with an end: a name, a connection, a handshake. Nothing is sent beyond them. */
import { lookup, Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { clip } from '../../protocol/limits.ts'
import type { PathStep } from '../ports.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly ca?: string
}

/** Asks the name servers of this machine; the hosts file counts as well. */
export async function resolved(host: string, maxMs: number): Promise<PathStep> {
  const servers = new Resolver({ timeout: Math.floor(maxMs / 2), tries: 1 })
  const found = await within(
    maxMs,
    Promise.any([servers.resolve4(host), servers.resolve6(host), lookup(host, { all: true }).then((all) => all.map((one) => one.address))]),
  )
  servers.cancel()
  if (found.ok) return { name: 'dns', result: 'ok', says: `${host} is ${found.value.slice(0, 3).join(', ')}.` }
  const asked = servers.getServers().slice(0, 3).join(', ')
  return {
    name: 'dns',
    result: 'failed',
    says: `The name ${host} could not be found${found.late ? ' in time' : ''} (asked ${asked === '' ? 'nobody: no name server is set' : asked}).`,
    next: 'Check the name server (DNS) settings of this network.',
  }
}

/** A TCP connection that is closed again at once. */
export async function reached({ host, port }: Endpoint, maxMs: number): Promise<PathStep> {
  const socket = connect({ host, port })
  const opened = await within(maxMs, event(socket, 'connect'))
  socket.destroy()
  if (opened.ok) return { name: 'tcp', result: 'ok', says: `${host} answers on port ${port}.` }
  const refused = opened.code === 'ECONNREFUSED'
  return {
    name: 'tcp',
    result: 'failed',
    says: opened.late ? `${host} does not answer on port ${port}.` : `Port ${port} of ${host}: ${opened.why}.`,
    next: refused ? 'Nothing listens there: check the address in the join file and whether the cloud runs.' : `Let the firewall pass port ${port}.`,
  }
}

/** The handshake with the checks that the link makes. */
export async function secured({ host, port, tls, ca }: Endpoint, maxMs: number): Promise<PathStep> {
  if (!tls) return { name: 'tls', result: 'ok', says: 'The link is not encrypted (mqtt://).' }
  // loaded when somebody asks for the check: TLS costs megabytes
  const { connect } = await import('node:tls')
  const socket = connect({ host, port, servername: /^[\d.:]+$/.test(host) ? '' : host, ...(ca === undefined ? {} : { ca }) })
  const done = await within(maxMs, event(socket, 'secureConnect'))
  const until = done.ok ? socket.getPeerCertificate().valid_to : ''
  socket.destroy()
  if (done.ok) return { name: 'tls', result: 'ok', says: `The certificate of ${host} is good until ${until}.` }
  const byClock = done.code === 'CERT_NOT_YET_VALID' || done.code === 'CERT_HAS_EXPIRED'
  return {
    name: 'tls',
    result: 'failed',
    says: done.late ? 'The handshake got no answer.' : `The certificate was not accepted: ${done.why}.`,
    next: byClock
      ? 'Check the clock of the device, then the certificate of the broker.'
      : 'Check for a proxy that opens TLS, and the ca in the join file.',
  }
}

type Within<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly late: boolean; readonly code: string; readonly why: string }

async function within<T>(ms: number, work: Promise<T>): Promise<Within<T>> {
  const stop = new AbortController()
  try {
    const value = await Promise.race([work, sleep(ms, null, { signal: stop.signal, ref: false }).then(() => Promise.reject(new Error('late')))])
    return { ok: true, value }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = error instanceof Error ? error.message : String(error)
    return { ok: false, late: why === 'late', code, why: clip(why, 200) }
  } finally {
    stop.abort()
  }
}

function event(
  socket: { once(name: string, run: (error?: Error) => void): unknown; on(name: string, run: () => void): unknown },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(name, () => resolve())
    socket.once('error', (error) => reject(error ?? new Error('failed')))
    // errors after the answer are nobody's business
    socket.on('error', () => undefined)
  })
}
