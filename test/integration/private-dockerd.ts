/**
 * A Docker engine of one's own: dockerd and containerd under a temporary folder, in their own network namespace, so that
 * several of them and the host's engine do not take each other's bridge away. containerd is separate, as on a real host:
 * dockerd can then be killed and started again.
 *
 *   const why = whyNoDockerd()                 // skip with this reason
 *   const engine = await createPrivateDockerd({ liveRestore: true })
 *   await engine.importBusybox('busybox:1')
 *   … engine.socketPath …
 *   await engine.destroy()                     // containers, shims, mounts, namespace and folder are gone
 *
 * INVARIANTS: everything started carries the folder's path in its command line and everything mounted lies below it, so that
 * the sweep needs no book-keeping; the sweep also runs when the test process exits by itself, and when the next one starts after a kill.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cableOf, ENGINE_PREFIX, findProgram, ownFolder, runOk, sweep, sweepAbandoned } from './private-dockerd-sweep.ts'

export interface PrivateDockerdOptions {
  /** containers outlive dockerd */
  readonly liveRestore?: boolean
  /** a veth pair between this namespace and the engine's, in CIDR form; without it the engine has loopback only */
  readonly link?: { readonly here: string; readonly there: string }
  /** images and containers are on an ext4 of this size, which can be filled without harm to others */
  readonly diskBytes?: number
  /** the engine's configuration file, `daemon.json` */
  readonly config?: Readonly<Record<string, unknown>>
}

export interface PrivateDockerd {
  readonly dir: string
  readonly socketPath: string
  /** name below /var/run/netns */
  readonly netns: string
  /** pid of dockerd, null while it is down */
  pid(): number | null
  /** starts dockerd and waits until it answers */
  start(): Promise<void>
  /** SIGTERM, and waits for the end: containers stop unless live restore is on */
  stop(): Promise<void>
  /** SIGKILL: containers go on running */
  kill(): Promise<void>
  /** SIGSTOP: connections are accepted by the kernel and never answered */
  pause(): void
  resume(): void
  /** an image made from /bin/busybox */
  importBusybox(reference: string): Promise<void>
  /** the docker command against this engine; answers its output */
  docker(...args: readonly string[]): Promise<string>
  destroy(): Promise<void>
}

/** Why this machine cannot run one, or null. */
export function whyNoDockerd(): string | null {
  if (process.getuid?.() !== 0) return 'not root'
  const missing = ['dockerd', 'containerd', 'docker', 'ip', 'nsenter', 'busybox', 'tar'].filter((name) => findProgram(name) === null)
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')} (Debian: docker.io iproute2 util-linux busybox-static)`
}

export async function createPrivateDockerd(options: PrivateDockerdOptions = {}): Promise<PrivateDockerd> {
  sweepAbandoned()
  const dir = mkdtempSync(join(tmpdir(), ENGINE_PREFIX))
  ownFolder(dir)
  const netns = dir.slice(dir.lastIndexOf('/') + 1)
  const socketPath = join(dir, 'docker.sock')
  const sweepNow = (): void => sweep(dir, netns)
  process.once('exit', sweepNow)
  await makeNamespace(netns, options.link)
  writeFileSync(join(dir, 'daemon.json'), JSON.stringify(options.config ?? {}))
  if (options.diskBytes !== undefined) await mountDisk(join(dir, 'disk.img'), join(dir, 'data'), options.diskBytes)
  startContainerd(dir)
  let dockerd: ChildProcess | null = null

  const start = async (): Promise<void> => {
    if (dockerd !== null) return
    dockerd = spawnLogged(dir, 'dockerd', ['nsenter', `--net=/var/run/netns/${netns}`, ...dockerdCommand(dir, options.liveRestore ?? false)])
    await untilAnswers(dir, socketPath, dockerd)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = dockerd
    dockerd = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    // a stopped process would keep SIGTERM pending for ever
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
  }
  const docker = (...args: readonly string[]): Promise<string> => runOk('docker', ['-H', `unix://${socketPath}`, ...args])
  const engine: PrivateDockerd = {
    dir,
    socketPath,
    netns,
    start,
    docker,
    pid: () => dockerd?.pid ?? null,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void dockerd?.kill('SIGSTOP'),
    resume: () => void dockerd?.kill('SIGCONT'),
    importBusybox: (reference) => importBusybox(dir, docker, reference),
    destroy: async () => {
      dockerd?.kill('SIGCONT')
      if (dockerd !== null) await removeContainers(docker)
      await end('SIGTERM')
      process.off('exit', sweepNow)
      sweepNow()
    },
  }
  await start()
  return engine
}

/** A new ext4 in a file, mounted there. Without a reserve for root, so that full is full. */
export async function mountDisk(image: string, mount: string, bytes: number): Promise<void> {
  mkdirSync(mount, { recursive: true })
  await runOk('truncate', ['-s', String(bytes), image])
  await runOk('mkfs.ext4', ['-q', '-F', '-m', '0', image])
  await runOk('mount', ['-o', 'loop', image, mount])
}

function dockerdCommand(dir: string, liveRestore: boolean): readonly string[] {
  return [
    'dockerd',
    '--data-root',
    join(dir, 'data'),
    '--exec-root',
    join(dir, 'exec'),
    '--host',
    `unix://${join(dir, 'docker.sock')}`,
    '--pidfile',
    join(dir, 'dockerd.pid'),
    '--containerd',
    join(dir, 'containerd.sock'),
    '--config-file',
    join(dir, 'daemon.json'),
    ...(liveRestore ? ['--live-restore'] : []),
  ]
}

function startContainerd(dir: string): void {
  const config = [
    'version = 2',
    `root = "${join(dir, 'ctrd')}"`,
    `state = "${join(dir, 'ctrd-state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${join(dir, 'containerd.sock')}"`,
  ]
  writeFileSync(join(dir, 'containerd.toml'), `${config.join('\n')}\n`)
  spawnLogged(dir, 'containerd', ['containerd', '--config', join(dir, 'containerd.toml')])
}

function spawnLogged(dir: string, name: string, [program = '', ...args]: readonly string[]): ChildProcess {
  const log = openSync(join(dir, `${name}.log`), 'a')
  const child = spawn(program, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  child.on('error', () => {})
  // the engine must not keep a finished test process alive
  child.unref()
  return child
}

async function makeNamespace(netns: string, link: PrivateDockerdOptions['link']): Promise<void> {
  await runOk('ip', ['netns', 'add', netns])
  await runOk('ip', ['-n', netns, 'link', 'set', 'lo', 'up'])
  if (link === undefined) return
  const here = cableOf(netns)
  await runOk('ip', ['link', 'add', here, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns])
  await runOk('ip', ['addr', 'add', link.here, 'dev', here])
  await runOk('ip', ['link', 'set', here, 'up'])
  await runOk('ip', ['-n', netns, 'addr', 'add', link.there, 'dev', 'eth0'])
  await runOk('ip', ['-n', netns, 'link', 'set', 'eth0', 'up'])
  await runOk('ip', ['-n', netns, 'route', 'add', 'default', 'via', link.here.split('/')[0] ?? ''])
}

/** 60 s: a busy machine with two cores may take 20 for the first start. */
async function untilAnswers(dir: string, socketPath: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline) {
    if (await answers(socketPath)) return
    if (child.exitCode !== null) break
    await sleep(50)
  }
  throw new Error(`dockerd did not start: ${readFileSync(join(dir, 'dockerd.log'), 'utf8').slice(-2000)}`)
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ socketPath, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    probe.on('error', () => resolve(false))
    probe.on('timeout', () => probe.destroy())
    probe.end()
  })
}

async function importBusybox(dir: string, docker: PrivateDockerd['docker'], reference: string): Promise<void> {
  const root = join(dir, 'image-root')
  const archive = join(dir, 'image.tar')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'tmp'), { recursive: true })
  await runOk('cp', [findProgram('busybox') ?? '/bin/busybox', join(root, 'bin/busybox')])
  for (const name of ['sh', 'sleep', 'httpd', 'echo', 'cat', 'true', 'false', 'env', 'hostname'])
    await runOk('ln', ['-sf', 'busybox', join(root, 'bin', name)])
  await runOk('tar', ['-C', root, '-cf', archive, '.'])
  await docker('import', archive, reference)
}

async function removeContainers(docker: PrivateDockerd['docker']): Promise<void> {
  try {
    const ids = (await docker('ps', '-aq')).split('\n').filter((id) => id !== '')
    if (ids.length > 0) await docker('rm', '-f', ...ids)
  } catch {
    // the sweep ends what an unwilling engine leaves
  }
}
