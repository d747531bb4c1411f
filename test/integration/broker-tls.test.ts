/** The embedded broker over TLS: the link checks the certificate, and strangers who speak something else are counted. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { serverCertificate } from '../../cloud/apiserver/certificate.ts'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from '../../cloud/mqtt/device-credentials.ts'
import { startEmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import { openMqttLink } from '../../cloud/mqtt/mqtt-link.ts'
import { CLOCK, eventually, LOG, SECRET } from './mqtt-clients.ts'

it('serves over TLS whoever trusts its certificate, and only those connect', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'skerry-tls-'))
  const { caPem, certPem, keyPem } = await serverCertificate(folder, ['127.0.0.1'], Date.now())
  const tls = { cert: certPem, key: keyPem }
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    tenant: 'default',
    authenticate: passwordAuthenticator(SECRET),
    log: LOG,
    tls,
  })
  const link = (ca?: string) =>
    openMqttLink(
      {
        url: `mqtts://127.0.0.1:${broker.port}`,
        tenant: 'default',
        clientId: CLOUD_CLIENT_ID,
        username: CLOUD_CLIENT_ID,
        password: brokerPassword(SECRET, CLOUD_CLIENT_ID),
        ...(ca === undefined ? {} : { ca }),
      },
      { clock: CLOCK, random: { next: () => 0.1, uuid: () => '', suffix: () => '' }, log: LOG },
    )
  const trusting = link(caPem)
  await eventually(() => trusting.isConnected())
  await trusting.publishDesired('gw-1', Buffer.from('hello'))

  const doubting = link()
  const stranger = connect(broker.port, '127.0.0.1', () => stranger.write('GET / HTTP/1.1\r\n\r\n')).on('error', () => undefined)
  await eventually(() => (broker.refusals()['tls'] ?? 0) >= 2)
  expect(doubting.isConnected()).toBe(false)
  expect(trusting.isConnected()).toBe(true)
  await Promise.all([trusting.stop(), doubting.stop()])
  stranger.destroy()
  await broker.close()
  rmSync(folder, { recursive: true })
})
