/** Finds a Docker engine, or starts one of our own where that can be done without asking; says what it did. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { engineRequest } from './engine-request.ts'
import { runQuietly } from './run-quietly.ts'

export interface FoundEngine {
  readonly socket: string
  /** our own daemon, to be ended with us; null when the machine's engine is used */
  readonly daemon: ChildProcess | null
  readonly said: string
}

/** @throws Error whose message says exactly what to install */
export async function findEngine(dataDir: string, env: NodeJS.ProcessEnv): Promise<FoundEngine> {
  const named = env['DOCKER_HOST']
  if (named !== undefined && !named.startsWith('unix://')) {
    throw new Error(
      `DOCKER_HOST is ${named}; quickstart needs an engine on this machine (unix:///var/run/docker.sock). Unset DOCKER_HOST and try again.`,
    )
  }
  const candidates = [
    ...(named === undefined ? [] : [named.slice('unix://'.length)]),
    '/var/run/docker.sock',
    path.join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'docker.sock'),
  ]
  for (const socket of candidates) {
    const version = await engineVersion(socket)
    if (version !== null) return { socket, daemon: null, said: `using the Docker engine ${version} at ${socket}` }
  }
  const installed = await installEngine()
  return startEngine(dataDir, installed)
}

async function engineVersion(socket: string): Promise<string | null> {
  if (!existsSync(socket)) return null
  try {
    const answer = await engineRequest(socket, 'GET', '/version')
    const body: unknown = JSON.parse(answer.body)
    return answer.status === 200 && typeof body === 'object' && body !== null && 'Version' in body ? String(body.Version) : null
  } catch {
    return null
  }
}

const SAY_WHAT_TO_INSTALL = `No Docker engine answers on this machine. Do one of these, then run quickstart again:
  Debian, Ubuntu      sudo apt-get install docker.io && sudo systemctl start docker
  Fedora              sudo dnf install moby-engine && sudo systemctl start docker
  Alpine              sudo apk add docker && sudo service docker start
  macOS, Windows      start Docker Desktop
If it is installed and runs, your user may not reach it: sudo usermod -aG docker "$USER", then sign in again.`

/** Debian and Ubuntu as root: installs docker.io when it is missing. */
async function installEngine(): Promise<string> {
  const isRoot = process.getuid?.() === 0
  if (!isRoot || !existsSync('/usr/bin/apt-get')) throw new Error(SAY_WHAT_TO_INSTALL)
  if (existsSync('/usr/sbin/dockerd') || existsSync('/usr/bin/dockerd')) return ''
  process.stdout.write('quickstart: no Docker engine here; installing docker.io with apt-get (a minute)\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runQuietly('apt-get', ['update', '-qq'], env)
  await runQuietly('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'docker.io', 'iptables'], env)
  return 'installed docker.io and '
}

async function startEngine(dataDir: string, installed: string): Promise<FoundEngine> {
  const dir = path.join(dataDir, 'engine')
  mkdirSync(dir, { recursive: true })
  const socket = path.join(dir, 'docker.sock')
  const log = openSync(path.join(dir, 'dockerd.log'), 'a')
  // own group, so that Ctrl-C reaches us first and we end it in order
  const daemon = spawn(
    ['/usr/sbin/dockerd', '/usr/bin/dockerd'].find((file) => existsSync(file)) ?? 'dockerd',
    [
      '--data-root',
      path.join(dir, 'data'),
      '--exec-root',
      path.join(dir, 'exec'),
      '--host',
      `unix://${socket}`,
      '--pidfile',
      path.join(dir, 'pid'),
      '--live-restore=false',
    ],
    { stdio: ['ignore', log, log], detached: true },
  )
  const gone = new Promise<never>((_, reject) => {
    daemon.on('error', (error) => reject(error))
    daemon.on('exit', (code) => reject(new Error(`dockerd ended with code ${code}`)))
  })
  gone.catch(() => undefined)
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline) {
    const version = await Promise.race([engineVersion(socket), gone]).catch((error: unknown) => {
      throw new Error(
        `the Docker engine did not start: ${error instanceof Error ? error.message : String(error)}\n${tail(path.join(dir, 'dockerd.log'))}`,
      )
    })
    if (version !== null) return { socket, daemon, said: `${installed}started a Docker engine ${version} of our own (data in ${dir})` }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  daemon.kill('SIGTERM')
  throw new Error(`the Docker engine did not answer within 60 s\n${tail(path.join(dir, 'dockerd.log'))}`)
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-12).join('\n')
}
