/** The cloud's link over the embedded broker and over a real Mosquitto: the same suite. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { it } from 'vitest'
import { brokerPassword, CLOUD_CLIENT_ID } from '../../cloud/mqtt/device-credentials.ts'
import { TOPICS } from '../../protocol/topics.ts'
import { brokerContract } from '../contract/broker.contract.ts'
import type { RunningBroker } from '../contract/broker.contract.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'
import { embedded, eventually, SECRET } from './mqtt-clients.ts'

brokerContract('embedded broker', async (port) => {
  const broker = await embedded(port)
  return { port: broker.port, stop: () => broker.close() }
})

brokerContract('embedded broker, from inside', async (port) => {
  const broker = await embedded(port)
  return { port: broker.port, inside: () => broker.connectInside(), stop: () => broker.close() }
})

if (spawnSync('mosquitto', ['-h']).error === undefined) brokerContract('Mosquitto', startMosquitto)
else {
  it.skip('Mosquitto: not run, no mosquitto on this machine (apt install mosquitto)', () => undefined)
  console.log('cloud-link: Mosquitto suite NOT RUN: no mosquitto on this machine (apt install mosquitto)')
}

async function startMosquitto(wanted: number): Promise<RunningBroker> {
  const port = wanted === 0 ? await freePort() : wanted
  const folder = mkdtempSync(path.join(tmpdir(), 'skerry-mosquitto-'))
  const passwords = path.join(folder, 'passwords')
  writeFileSync(passwords, [CLOUD_CLIENT_ID, 'gw-1', 'gw-2'].map((name) => `${name}:${brokerPassword(SECRET, name)}\n`).join(''), { mode: 0o600 })
  execFileSync('mosquitto_passwd', ['-U', passwords])
  const rules = Object.values(TOPICS)
  const acl = [
    `user ${CLOUD_CLIENT_ID}`,
    ...rules.map(({ channel, writer }) => `topic ${writer === 'cloud' ? 'write' : 'read'} skerry/v1/default/+/${channel}`),
    ...rules.map(({ channel, writer }) => `pattern ${writer === 'cloud' ? 'read' : 'write'} skerry/v1/default/%u/${channel}`),
  ]
  writeFileSync(path.join(folder, 'acl'), `${acl.join('\n')}\n`, { mode: 0o600 })
  const root = process.getuid?.() === 0 ? ['user root'] : []
  const doors = ['allow_anonymous false', `password_file ${passwords}`, `acl_file ${path.join(folder, 'acl')}`]
  const config = [...root, `listener ${port} 127.0.0.1`, ...doors, 'max_queued_messages 200000']
  writeFileSync(path.join(folder, 'conf'), `${config.join('\n')}\n`)
  const child = spawn('mosquitto', ['-c', path.join(folder, 'conf')], { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => {
    child.on('close', () => resolve())
  })
  let ready = false
  const probe = setInterval(() => {
    const socket = connect(port, '127.0.0.1', () => {
      ready = true
      socket.destroy()
    }).on('error', () => undefined)
  }, 50)
  await eventually(() => ready).finally(() => clearInterval(probe))
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
