/** TLS before a broker that speaks plain MQTT, as a proxy of an operator ends it; the certificate it shows can be changed while it stands. */
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { serverCertificate } from '../../cloud/apiserver/certificate.ts'

export interface TlsFront {
  readonly url: string
  /** of the authority that signs what it shows */
  readonly caPem: string
  /** shows a certificate that was made at that moment, and is good for a year from then; who is connected stays so */
  showMadeAt(wallMs: number): Promise<void>
  close(): void
}

/** @param folder keys are kept here */
export async function startTlsFront(folder: string, host: string, brokerPort: number): Promise<TlsFront> {
  const made = (wallMs: number): ReturnType<typeof serverCertificate> => serverCertificate(folder, [host], wallMs)
  // the authority is older than whatever it will have signed
  const first = await made(Date.now() - AUTHORITY_AGE_MS)
  const server = createServer({ minVersion: 'TLSv1.3' }, (socket) => {
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    socket.setNoDelay(true)
    socket.on('error', () => broker.destroy()).on('close', () => broker.destroy())
    broker.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.pipe(broker).pipe(socket)
  })
  const showMadeAt = async (wallMs: number): Promise<void> => {
    const { certPem, keyPem } = await made(wallMs)
    server.setSecureContext({ cert: certPem, key: keyPem })
  }
  await showMadeAt(Date.now())
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return { url: `mqtts://${host}:${port}`, caPem: first.caPem, showMadeAt, close: () => void server.close() }
}

const AUTHORITY_AGE_MS = 2 * 365 * 86_400_000
