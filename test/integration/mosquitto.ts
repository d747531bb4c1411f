/** A real Mosquitto on a port of its own, a line to it that can be cut, and an observer of what it holds. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as tcpConnect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { open } from '../../protocol/envelope.ts'
import { parseTopic } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'

export type Cleanup = (step: () => void | Promise<void>) => void

/** nothing is asserted by time: a condition that never comes is the test's own time-out */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10)
}

/** started again, it has forgotten everything */
export async function startBroker(cleanup: Cleanup) {
  const port = await freePort()
  const dir = await mkdtemp(path.join(tmpdir(), 'skerry-mosquitto-'))
  const config = path.join(dir, 'mosquitto.conf')
  await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`)
  let child: ChildProcess | null = null
  const start = async (): Promise<void> => {
    child = spawn('mosquitto', ['-c', config], { stdio: 'ignore' })
    while (!(await accepts(port))) await sleep(10)
  }
  const stop = async (): Promise<void> => {
    if (child !== null) await end(child)
    child = null
  }
  cleanup(async () => {
    await stop()
    await rm(dir, { recursive: true })
  })
  await start()
  return { port, url: `mqtt://127.0.0.1:${port}`, start, stop }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await closed
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect(port, '127.0.0.1')
    socket
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** a line in front of the broker that can be cut, or left open with every byte swallowed */
export async function startProxy(port: number, cleanup: Cleanup) {
  const sockets = new Set<Socket>()
  let swallowing = false
  const server = createServer((near) => {
    const far = tcpConnect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => void (swallowing || to.write(chunk)))
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  cleanup(() => {
    cut()
    server.close()
  })
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, swallow: (on: boolean) => void (swallowing = on) }
}

/** sees everything below the topic root, opened */
export async function observe(url: string, cleanup: Cleanup) {
  const client: MqttClient = connect(url, { protocolVersion: 4, reconnectPeriod: 0, clientId: `observer-${process.pid}-${Math.random()}` })
  client.on('error', () => undefined)
  const bodies = new Map<Channel, unknown[]>()
  client.on('message', (topic, payload) => {
    const parts = parseTopic(topic)
    if (parts === null) return
    const opened = open(parts.channel, parts.device, payload, null)
    bodies.set(parts.channel, [...(bodies.get(parts.channel) ?? []), opened.ok ? opened.body : opened])
  })
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  await client.subscribeAsync('skerry/#', { qos: 1 })
  cleanup(() => void client.end(true))
  const of = (channel: Channel): readonly unknown[] => bodies.get(channel) ?? []
  return { client, of, last: (channel: Channel): unknown => of(channel).at(-1) ?? null }
}
