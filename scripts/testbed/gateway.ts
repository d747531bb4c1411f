/** One gateway of the testbed: a network namespace with its own engine and agent, and a cable to the cloud that can be cut. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createPrivateDockerd } from '../../test/integration/private-dockerd.ts'
import type { PrivateDockerd, PrivateDockerdOptions } from '../../test/integration/private-dockerd.ts'
import { cableOf } from '../../test/integration/private-dockerd-sweep.ts'
import { AGENT_BUNDLE, AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../build-agent.ts'
import { engineRequest } from '../quickstart/engine-request.ts'
import { runQuietly } from '../quickstart/run-quietly.ts'
import { Child } from './child.ts'
import { pinnedNode } from './pinned-node.ts'

/** The last of a flag that is given twice counts. */
export type AgentFlags = (engineSocket: string) => Promise<readonly string[]>

export type EngineSettings = Pick<PrivateDockerdOptions, 'liveRestore' | 'diskBytes' | 'config'>

export interface GatewayContainer {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly running: boolean
  readonly startedAt: string
}

export interface Gateway {
  readonly name: string
  readonly engine: PrivateDockerd
  readonly agent: Child
  readonly stateDir: string
  /** address of the cloud as this gateway sees it */
  readonly cloudAddress: string
  readonly address: string
  cut(): Promise<void>
  heal(): Promise<void>
  /** power off and on: containers, engine and agent end hard, then engine and agent start */
  reboot(): Promise<void>
  /** containers with our label, by name */
  containers(): Promise<readonly GatewayContainer[]>
  destroy(): Promise<void>
}

/**
 * @param index 1 to 99: names the gateway `gw-<index>` and its network 10.211.<index>.0/30
 * @param moreFlags of the agent, given where its engine listens
 */
export async function createGateway(
  index: number,
  dir: string,
  moreFlags: AgentFlags = async () => [],
  settings: EngineSettings = {},
): Promise<Gateway> {
  const name = `gw-${index}`
  const cloudAddress = cloudAddressOf(index)
  const address = `10.211.${index}.2`
  const engine = await createPrivateDockerd({ ...settings, link: { here: `${cloudAddress}/30`, there: `${address}/30` } })
  const home = path.join(dir, name)
  const stateDir = path.join(home, 'state')
  mkdirSync(home, { recursive: true })
  const cable = cableOf(engine.netns)
  const join = path.join(home, 'join.json')
  const flags = ['run', '--state', stateDir, '--join', join, '--docker', engine.socketPath, '--page', '127.0.0.1:8090']
  flags.push(...(await moreFlags(engine.socketPath)))
  const agent = new Child(
    `agent of ${name}`,
    ['nsenter', `--net=/var/run/netns/${engine.netns}`, pinnedNode(), ...AGENT_NODE_FLAGS, AGENT_BUNDLE, ...flags],
    path.join(home, 'agent.log'),
    { ...process.env, ...AGENT_ENVIRONMENT },
  )
  return {
    name,
    engine,
    agent,
    stateDir,
    cloudAddress,
    address,
    cut: async () => void (await runQuietly('ip', ['link', 'set', cable, 'down'])),
    heal: async () => void (await runQuietly('ip', ['link', 'set', cable, 'up'])),
    reboot: async () => {
      await agent.stop('SIGKILL')
      await engine.stop()
      await engine.start()
      agent.start()
    },
    containers: () => listContainers(engine.socketPath),
    destroy: async () => {
      await agent.stop()
      await engine.destroy()
    },
  }
}

/** The cloud's end of the cable of a gateway. */
export function cloudAddressOf(index: number): string {
  return `10.211.${index}.1`
}

export function writeJoinFile(gateway: Gateway, dir: string, document: unknown): void {
  writeFileSync(path.join(dir, gateway.name, 'join.json'), JSON.stringify(document), { mode: 0o600 })
}

async function listContainers(socket: string): Promise<readonly GatewayContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['dev.skerry.device'] }))
  const answer = await engineRequest(socket, 'GET', `/containers/json?all=true&filters=${filters}`)
  const listed = JSON.parse(answer.body) as readonly {
    readonly Id: string
    readonly Names: readonly string[]
    readonly Image: string
    readonly State: string
  }[]
  const containers = await Promise.all(
    listed.map(async (item) => {
      const inspected = await engineRequest(socket, 'GET', `/containers/${item.Id}/json`)
      if (inspected.status !== 200) return null
      const { State } = JSON.parse(inspected.body) as { readonly State: { readonly StartedAt: string } }
      return {
        id: item.Id,
        name: (item.Names[0] ?? '').replace(/^\//, ''),
        image: item.Image,
        running: item.State === 'running',
        startedAt: State.StartedAt,
      }
    }),
  )
  return containers.filter((item) => item !== null).toSorted((a, b) => a.name.localeCompare(b.name))
}
