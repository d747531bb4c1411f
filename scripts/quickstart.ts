/** `npm run quickstart`: cloud, agent and an example on this machine, from nothing to an answer over HTTP. `--check` verifies and ends. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT, AGENT_BUNDLE } from './build-agent.ts'
import { CLI_BUNDLE, CLOUD_BUNDLE, CONSOLE_ASSETS, buildAll } from './build.ts'
import { engineRequest } from './quickstart/engine-request.ts'
import { findEngine } from './quickstart/find-engine.ts'
import { freePort } from './quickstart/free-port.ts'
import { ensureExampleImage } from './quickstart/local-image.ts'
import { Processes } from './quickstart/processes.ts'
import { runQuietly } from './quickstart/run-quietly.ts'

const EXAMPLE = path.join(ROOT, 'scripts/quickstart/hello.yaml')
const EXAMPLE_IMAGE = 'busybox:1.36'

interface Places {
  readonly dir: string
  readonly device: string
  readonly https: number
  readonly http: number
  readonly mqtt: number
  readonly page: number
  readonly hello: number
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function main(check: boolean): Promise<void> {
  const processes = new Processes()
  const dir = check ? mkdtempSync(path.join(tmpdir(), 'skerry-check-')) : path.join(ROOT, '.skerry', 'quickstart')
  mkdirSync(dir, { recursive: true })
  let socket: string | null = null
  const places = await choosePlaces(dir)
  const stop = async (): Promise<void> => {
    if (socket !== null) await removeFromEngine(socket, places.device, processes)
    await processes.stopAll()
    if (check) rmSync(dir, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say('\nquickstart: stopping everything that was started')
      stop().then(
        () => process.exit(check ? 1 : 0),
        () => process.exit(1),
      )
    })
  }
  try {
    const engine = await findEngine(dir, process.env)
    socket = engine.socket
    if (engine.daemon !== null) processes.adopt({ name: 'engine', child: engine.daemon, logFile: path.join(dir, 'engine', 'dockerd.log') })
    say(`engine   ${engine.said}`)
    say(`image    ${await ensureExampleImage(socket, EXAMPLE_IMAGE)}`)
    await buildAll()
    await startCloud(processes, places)
    await startAgent(processes, places, socket)
    const answer = await applyExample(processes, places)
    say(`answer   ${answer.trim()}`)
    if (check) {
      await verify(places)
      await stop()
      say('quickstart: checked; everything was stopped again')
      return
    }
    printNext(places)
  } catch (error) {
    say(`\nquickstart failed: ${error instanceof Error ? error.message : String(error)}`)
    await stop()
    process.exitCode = 1
  }
}

async function choosePlaces(dir: string): Promise<Places> {
  const device =
    hostname()
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 63) || 'this-machine'
  return {
    dir,
    device,
    https: await freePort(6443),
    http: await freePort(8080),
    mqtt: await freePort(1883),
    page: await freePort(8090),
    hello: await freePort(8088, '0.0.0.0'),
  }
}

function node(): string {
  const pinned = path.join(ROOT, 'node_modules', '.bin', 'node')
  return existsSync(pinned) ? pinned : process.execPath
}

function kubeconfig(places: Places): string {
  return path.join(places.dir, 'cloud', 'kubeconfig')
}

async function startCloud(processes: Processes, places: Places): Promise<void> {
  const data = path.join(places.dir, 'cloud')
  const logFile = path.join(places.dir, 'cloud.log')
  const flags = [
    '--data',
    data,
    '--https',
    `127.0.0.1:${places.https}`,
    '--http',
    `127.0.0.1:${places.http}`,
    '--mqtt',
    `127.0.0.1:${places.mqtt}`,
    '--console',
    CONSOLE_ASSETS,
  ]
  processes.start('cloud', [node(), '--disable-warning=ExperimentalWarning', CLOUD_BUNDLE, ...flags], logFile)
  await until('the cloud is ready', processes, async () => (await fetch(`http://127.0.0.1:${places.http}/readyz`)).ok)
  say(`cloud    started (log ${logFile})`)
}

async function startAgent(processes: Processes, places: Places, socket: string): Promise<void> {
  const join = await runQuietly(node(), [CLI_BUNDLE, 'join', places.device, '--kubeconfig', kubeconfig(places)])
  const joinFile = path.join(places.dir, 'join.json')
  writeFileSync(joinFile, join, { mode: 0o600 })
  const logFile = path.join(places.dir, 'agent.log')
  const flags = ['run', '--state', path.join(places.dir, 'agent'), '--join', joinFile, '--docker', socket, '--page', `127.0.0.1:${places.page}`]
  processes.start('agent', [node(), AGENT_BUNDLE, ...flags], logFile)
  await until('the agent is ready', processes, async () => (await fetch(`http://127.0.0.1:${places.page}/readyz`)).ok)
  say(`agent    started as device ${places.device} (log ${logFile})`)
}

async function applyExample(processes: Processes, places: Places): Promise<string> {
  const manifest = path.join(places.dir, 'hello.yaml')
  writeFileSync(manifest, readFileSync(EXAMPLE, 'utf8').replace('hostPort: 8088', `hostPort: ${places.hello}`))
  await runQuietly(node(), [CLI_BUNDLE, 'apply', '-f', manifest, '--kubeconfig', kubeconfig(places)])
  say(`applied  ${path.relative(process.cwd(), manifest)}`)
  let answer = ''
  await until('the example answers', processes, async () => {
    const response = await fetch(`http://127.0.0.1:${places.hello}/`, { signal: AbortSignal.timeout(2_000) })
    answer = await response.text()
    return response.ok && answer.includes('hello')
  })
  return answer
}

/** Beside the answer itself: the cloud must say the same as the engine. */
async function verify(places: Places): Promise<void> {
  const kubectl = await runQuietly('kubectl', ['--kubeconfig', kubeconfig(places), 'rollout', 'status', 'deployment/hello', '--timeout=60s'], {
    ...process.env,
    HOME: places.dir,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'kubectl is not installed; not checked with it'
    throw error
  })
  say(`kubectl  ${kubectl.trim().split('\n').at(-1) ?? ''}`)
  const page = await fetch(`http://127.0.0.1:${places.page}/`)
  const consolePage = await fetch(`http://127.0.0.1:${places.http}/`)
  if (!page.ok || !consolePage.ok) throw new Error(`the field page answered ${page.status}, the console ${consolePage.status}`)
}

async function removeFromEngine(socket: string, device: string, processes: Processes): Promise<void> {
  if (processes.dead()?.name === 'engine') return
  // the agent must be gone first, or it would make them again
  await processes.stopNamed('agent')
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.skerry.device=${device}`] }))
  for (const id of await idsOf(socket, `/containers/json?all=true&filters=${filters}`))
    await engineRequest(socket, 'DELETE', `/containers/${id}?force=true`).catch(() => null)
  for (const id of await idsOf(socket, `/networks?filters=${filters}`)) await engineRequest(socket, 'DELETE', `/networks/${id}`).catch(() => null)
}

async function idsOf(socket: string, list: string): Promise<readonly string[]> {
  const listed = await engineRequest(socket, 'GET', list).catch(() => null)
  const found: unknown = listed === null ? [] : JSON.parse(listed.body)
  return (Array.isArray(found) ? found : []).flatMap((one: unknown) => {
    const id: unknown = typeof one === 'object' && one !== null && 'Id' in one ? one.Id : null
    return typeof id === 'string' ? [id] : []
  })
}

async function until(what: string, processes: Processes, test: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000
  while (performance.now() < deadline) {
    const dead = processes.dead()
    if (dead !== null)
      throw new Error(`the ${dead.name} ended while waiting until ${what}:\n${readFileSync(dead.logFile, 'utf8').split('\n').slice(-15).join('\n')}`)
    if (await test().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`waited 120 s until ${what}; see the logs beside it`)
}

function printNext(places: Places): void {
  const token = readFileSync(path.join(places.dir, 'cloud', 'admin-token'), 'utf8').trim()
  const config = path.relative(process.cwd(), kubeconfig(places))
  say(`
  Console      http://127.0.0.1:${places.http}/#token=${token}
               (the part after # signs you in and stays in that tab; or open /console/ and paste the token)
  Field page   http://127.0.0.1:${places.page}/
  Example      http://127.0.0.1:${places.hello}/
  Kubeconfig   ${config}

  Try next:
    kubectl --kubeconfig ${config} get nodes,pods -o wide
    kubectl --kubeconfig ${config} set env deployment/hello GREETING=again
    kubectl --kubeconfig ${config} describe deployment hello

  Ctrl-C stops all of it and leaves nothing running.`)
}

await main(process.argv.includes('--check'))
