/** The cloud of the testbed: the built program, its kubeconfig, and kubectl against it. */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { CLI_BUNDLE, CLOUD_BUNDLE, CONSOLE_ASSETS } from '../build.ts'
import { freePort } from '../quickstart/free-port.ts'
import { runQuietly } from '../quickstart/run-quietly.ts'
import { Child } from './child.ts'
import { pinnedNode } from './pinned-node.ts'

export interface CloudProcess {
  readonly child: Child
  readonly ports: { readonly https: number; readonly http: number; readonly mqtt: number; readonly mqtts: number }
  readonly kubeconfig: string
  readonly token: () => string
  /** @throws with what kubectl printed */
  kubectl(...args: readonly string[]): Promise<string>
  skerry(...args: readonly string[]): Promise<string>
  ready(): Promise<void>
}

/** @param broker an outside broker instead of the embedded one */
export async function createCloud(
  dir: string,
  broker: { readonly url: string; readonly username: string; readonly password: string } | null = null,
  /** addresses by which gateways reach it */
  names: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
  /** a door with TLS beside the one in clear; flags beside the usual ones */
  more: { readonly tls?: boolean; readonly flags?: readonly string[] } = {},
): Promise<CloudProcess> {
  mkdirSync(dir, { recursive: true })
  const ports = { https: await freePort(0), http: await freePort(0), mqtt: await freePort(0), mqtts: await freePort(0) }
  const data = path.join(dir, 'cloud')
  const flags = ['--data', data, '--https', `0.0.0.0:${ports.https}`, '--http', `127.0.0.1:${ports.http}`, '--console', CONSOLE_ASSETS]
  flags.push(...names.flatMap((name) => ['--name', name]))
  if (more.tls === true) flags.push('--mqtts', `0.0.0.0:${ports.mqtts}`)
  flags.push(...(more.flags ?? []))
  const link = broker === null ? ['--mqtt', `0.0.0.0:${ports.mqtt}`] : ['--broker', broker.url]
  const env = broker === null ? process.env : { ...process.env, SKERRY_BROKER_USERNAME: broker.username, SKERRY_BROKER_PASSWORD: broker.password }
  const child = new Child(
    'cloud',
    [pinnedNode(), '--disable-warning=ExperimentalWarning', CLOUD_BUNDLE, ...flags, ...link],
    path.join(dir, 'cloud.log'),
    { ...env, ...settings },
  )
  const kubeconfig = path.join(data, 'kubeconfig')
  // a home of its own: kubectl caches discovery there
  const home = { ...process.env, HOME: dir, KUBECONFIG: kubeconfig }
  return {
    child,
    ports,
    kubeconfig,
    token: () => readFileSync(path.join(data, 'admin-token'), 'utf8').trim(),
    kubectl: (...args) => runQuietly('kubectl', args, home),
    skerry: (...args) => runQuietly(pinnedNode(), [CLI_BUNDLE, ...args], home),
    ready: async () => {
      const deadline = performance.now() + 60_000
      for (;;) {
        if (!child.running) throw new Error(`the cloud ended:\n${child.tail()}`)
        const answer = await fetch(`http://127.0.0.1:${ports.http}/readyz`).catch(() => null)
        if (answer?.ok === true) return
        if (performance.now() > deadline) throw new Error(`the cloud is not ready after 60 s:\n${child.tail()}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}
