/** N gateways and a cloud on this machine: real engines, real agents, real links that can be cut. Needs root and dockerd. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createCloud } from './cloud-process.ts'
import type { CloudProcess } from './cloud-process.ts'
import { createGateway, writeJoinFile } from './gateway.ts'
import type { Gateway } from './gateway.ts'

export interface Testbed {
  readonly dir: string
  readonly cloud: CloudProcess
  readonly gateways: readonly Gateway[]
  destroy(): Promise<void>
}

export interface TestbedOptions {
  readonly gateways: number
  /** images to import into each engine, made from busybox */
  readonly images: readonly string[]
  /** first gateway's number; two testbeds on one machine need different ranges */
  readonly first?: number
}

/** Builds are expected in dist/. Everything started is ended by `destroy`, also when starting fails half way. */
export async function createTestbed(options: TestbedOptions): Promise<Testbed> {
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-testbed-'))
  const gateways: Gateway[] = []
  const cloud = await createCloud(dir)
  const destroy = async (): Promise<void> => {
    await Promise.all(gateways.map((gateway) => gateway.destroy()))
    await cloud.child.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    cloud.child.start()
    await cloud.ready()
    for (let i = 0; i < options.gateways; i += 1) {
      const gateway = await createGateway((options.first ?? 1) + i, dir)
      gateways.push(gateway)
      for (const image of options.images) await gateway.engine.importBusybox(image)
      const join = JSON.parse(await cloud.skerry('join', gateway.name)) as Readonly<Record<string, unknown>>
      writeJoinFile(gateway, dir, { ...join, broker: `mqtt://${gateway.cloudAddress}:${cloud.ports.mqtt}` })
      gateway.agent.start()
    }
    return { dir, cloud, gateways, destroy }
  } catch (error) {
    await destroy()
    throw error
  }
}

/** Polls the world until it is as wanted. @throws with the last description of what it was */
export async function eventually(what: string, look: () => Promise<string | null>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let last = ''
  for (;;) {
    last = (await look().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))) ?? ''
    if (last === '') return
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s until ${what}; at the end: ${last}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
