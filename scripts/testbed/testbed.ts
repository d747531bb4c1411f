/** N gateways and a cloud on this machine: real engines, real agents, real links that can be cut. Needs root and dockerd. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../quickstart/free-port.ts'
import { Child } from './child.ts'
import { createCloud } from './cloud-process.ts'
import type { CloudProcess } from './cloud-process.ts'
import { cloudAddressOf, createGateway, writeJoinFile } from './gateway.ts'
import type { AgentFlags, EngineSettings, Gateway } from './gateway.ts'

export interface Testbed {
  readonly dir: string
  readonly cloud: CloudProcess
  readonly gateways: readonly Gateway[]
  /** the outside broker, when one was asked for: a start after a kill finds nothing of before */
  readonly broker: Child | null
  destroy(): Promise<void>
}

export interface TestbedOptions {
  readonly gateways: number
  /** images to import into each engine, made from busybox */
  readonly images: readonly string[]
  /** first gateway's number; two testbeds on one machine need different ranges */
  readonly first?: number
  /** Mosquitto instead of the broker inside the cloud */
  readonly outsideBroker?: boolean
  /** flags of each agent beside the usual ones */
  readonly agentFlags?: AgentFlags
  /** gateways come in over TLS */
  readonly tls?: boolean
  /** flags of the cloud beside the usual ones */
  readonly cloudFlags?: readonly string[]
  /** of each gateway */
  readonly engine?: EngineSettings
}

/** Those of this process: a wait that ends in vain tells what they logged last. */
const standing = new Set<Testbed>()

/** Builds are expected in dist/. Everything started is ended by `destroy`, also when starting fails half way. */
export async function createTestbed(options: TestbedOptions): Promise<Testbed> {
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-testbed-'))
  const gateways: Gateway[] = []
  const outside = options.outsideBroker === true ? await createMosquitto(dir) : null
  outside?.child.start()
  const first = options.first ?? 1
  const account = outside === null ? null : { url: `mqtt://127.0.0.1:${outside.port}`, username: '', password: '' }
  const names = Array.from({ length: options.gateways }, (_, index) => cloudAddressOf(first + index))
  const cloud = await createCloud(dir, account, names, {}, { tls: options.tls === true, flags: options.cloudFlags ?? [] })
  const destroy = async (): Promise<void> => {
    standing.delete(bed)
    await Promise.all(gateways.map((gateway) => gateway.destroy()))
    await cloud.child.stop()
    await outside?.child.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  const bed: Testbed = { dir, cloud, gateways, broker: outside?.child ?? null, destroy }
  standing.add(bed)
  try {
    cloud.child.start()
    await cloud.ready()
    for (let i = 0; i < options.gateways; i += 1) {
      const gateway = await createGateway(first + i, dir, options.agentFlags, options.engine)
      gateways.push(gateway)
      for (const image of options.images) await gateway.engine.importBusybox(image)
      const join = JSON.parse(await cloud.skerry('join', gateway.name)) as { readonly cloud: Readonly<Record<string, unknown>> }
      writeJoinFile(gateway, dir, {
        ...join,
        broker:
          options.tls === true
            ? `mqtts://${gateway.cloudAddress}:${cloud.ports.mqtts}`
            : `mqtt://${gateway.cloudAddress}:${outside?.port ?? cloud.ports.mqtt}`,
        cloud: { ...join.cloud, url: `https://${gateway.cloudAddress}:${cloud.ports.https}` },
      })
      gateway.agent.start()
    }
    return bed
  } catch (error) {
    await destroy()
    throw error
  }
}

async function createMosquitto(dir: string): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort(0)
  const config = path.join(dir, 'mosquitto.conf')
  writeFileSync(config, `listener ${port} 0.0.0.0\nallow_anonymous true\npersistence false\n`)
  return { child: new Child('mosquitto', ['mosquitto', '-c', config], path.join(dir, 'mosquitto.log')), port }
}

/** Polls the world until it is as wanted. @param look null = it is, else what it is instead, even '' @throws with the last of these */
export async function eventually(what: string, look: () => Promise<string | null>, timeoutMs = 120_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let last = ''
  for (;;) {
    const seen = await look().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    if (seen === null) return
    last = seen
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s until ${what}; at the end: ${last}${lastWords()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function lastWords(): string {
  const logs = [...standing].flatMap(({ cloud, gateways }) => [cloud.child, ...gateways.map(({ agent }) => agent)])
  return logs.map((child) => `\n--- ${child.logFile}\n${child.tail(12)}`).join('')
}
