/** A real cloud asks a real agent to become another one: fetched over HTTPS with the device's password, proven, and a bad one returned from. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGENT_BUNDLE, buildAgent, LAUNCHER_BUNDLE } from '../../scripts/build-agent.ts'
import { createCloud } from '../../scripts/testbed/cloud-process.ts'
import type { CloudProcess } from '../../scripts/testbed/cloud-process.ts'
import { eventually } from '../../scripts/testbed/testbed.ts'
import { agentsDir, SLOTS_FILE } from '../../edge-agent/self-update/slots-file.ts'
import { buildOnce } from './build-once.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoKubectl()
if (why !== null) console.warn(`self-update-cloud: not run: ${why}`)
const GOOD = '9.9.9'
const BAD = '9.9.10'

describe.skipIf(why !== null)('an agent that follows its cloud', () => {
  let dir: string
  let cloud: CloudProcess
  const supervisor = { stopped: false }
  let running: Promise<void> = Promise.resolve()
  beforeAll(async () => {
    await buildOnce()
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-self-'))
    cloud = await createCloud(dir, null, ['127.0.0.1'])
    const agents = path.join(dir, 'cloud', 'agents')
    mkdirSync(agents, { recursive: true })
    await buildAgent(path.join(agents, `skerry-agent-${GOOD}.cjs`), GOOD)
    // it knows its version, and that is all
    writeFileSync(
      path.join(agents, `skerry-agent-${BAD}.cjs`),
      `if (process.argv[2] === 'version') console.log('skerry-agent ${BAD}'); else process.exit(1)`,
    )
    cloud.child.start()
    await cloud.ready()
    for (const file of [AGENT_BUNDLE, LAUNCHER_BUNDLE]) copyFileSync(file, path.join(dir, path.basename(file)))
    writeFileSync(path.join(dir, 'join.json'), await cloud.skerry('join', 'gw-self', '--kubeconfig', cloud.kubeconfig))
  })
  afterAll(async () => {
    supervisor.stopped = true
    await running
    await cloud?.child.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const state = (): string => path.join(dir, 'state')

  async function oneLife(): Promise<void> {
    const flags = ['--state', state(), '--join', path.join(dir, 'join.json'), '--docker', path.join(dir, 'none.sock'), '--page', 'off']
    const child = spawn(process.execPath, [path.join(dir, 'skerry-launch.cjs'), 'run', ...flags], {
      stdio: 'ignore',
      env: { ...process.env, SKERRY_SETTLE_MS: '2000', SKERRY_PROVE_MS: '90000' },
    })
    const ended = once(child, 'exit')
    while (!supervisor.stopped && child.exitCode === null && child.signalCode === null) await Promise.race([ended, sleep(100)])
    child.kill('SIGTERM')
    await ended
  }

  const node = (): Promise<string> => cloud.kubectl('get', 'node', 'gw-self', '-o', 'json')
  const slots = (): unknown => JSON.parse(readFileSync(path.join(agentsDir(state()), SLOTS_FILE), 'utf8'))
  const ask = (version: string): Promise<string> => cloud.kubectl('annotate', '--overwrite', 'node', 'gw-self', `skerry.dev/agent-version=${version}`)

  it('becomes the one that is asked for, and comes back from one that is broken', async () => {
    running = (async () => {
      while (!supervisor.stopped) await oneLife()
    })()
    await eventually('the device joins', async () => ((await node().catch(() => '')).includes('kubeletVersion') ? null : 'no node'))
    await ask(GOOD)
    await eventually(`the cloud hears of ${GOOD}`, async () => ((await reported()) === GOOD ? null : `it is ${await reported()}`))
    await eventually('it has proven itself', async () => {
      const { current, trial } = slots() as { readonly current: string; readonly trial: number | null }
      return current === 'a' && trial === null ? null : JSON.stringify(slots())
    })
    await ask(BAD)
    await eventually('it is back', async () => {
      const { current, failed } = slots() as { readonly current: string; readonly failed: readonly { readonly version: string }[] }
      return current === 'a' && failed[0]?.version === BAD ? null : JSON.stringify(slots())
    })
    await eventually('the cloud says so', async () => ((await failure()) === `True: AgentReturned` ? null : await failure()))
    expect(await node()).toContain(`Agent ${BAD} was given up, it did not prove itself in 3 starts`)
    expect(await reported()).toBe(GOOD)
    await ask(GOOD)
    await eventually('it is over', async () => ((await failure()).startsWith('False') ? null : await failure()))
    // without the password of a device nothing is given out
    const answer = await fetch(`http://127.0.0.1:${cloud.ports.http}/skerry/v1/agent/${'0'.repeat(64)}`)
    expect(answer.status).toBe(401)
  })

  const failure = async (): Promise<string> => {
    const path = '{range .status.conditions[?(@.type=="AgentUpdateFailed")]}{.status}: {.reason}{end}'
    return (await cloud.kubectl('get', 'node', 'gw-self', '-o', `jsonpath=${path}`)) || 'nothing is said'
  }
  const reported = async (): Promise<string> => {
    const info = (JSON.parse(await node()) as { readonly status?: { readonly nodeInfo?: { readonly kubeletVersion?: string } } }).status?.nodeInfo
    return info?.kubeletVersion?.replace(/^.*?(\d+\.\d+\.\d+).*$/, '$1') ?? ''
  }
})
