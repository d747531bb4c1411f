/**
 * `npm run kit`: what is carried to gateways and to the server, each one archive with its own install.sh, below `dist/kits/`. Equal
 * sources of one day make equal archives.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AGENT_BUNDLE, LAUNCHER_BUNDLE, ROOT, buildAgent, buildLauncher } from './build-agent.ts'
import { CONSOLE_ASSETS, buildCloud, buildConsole } from './build.ts'
import { noticesOf } from './third-party.ts'

const NOTICES = 'THIRD-PARTY-LICENCES'
/** in both web faces */
const ON_PAGES = ['preact', '@preact/signals', '@preact/signals-core']

export const KITS = path.join(ROOT, 'dist', 'kits')

export interface Kit {
  /** `skerry-agent-0.1.0`: the archive's name, and the folder in it */
  readonly name: string
  readonly archive: string
  /** the same, unpacked */
  readonly folder: string
}

export interface Kits {
  readonly agent: Kit
  readonly cloud: Kit
}

/** Of what is built: agent, launcher and console. */
export async function packKits(): Promise<Kits> {
  rmSync(KITS, { recursive: true, force: true })
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  const units = path.join(ROOT, 'edge-agent', 'systemd')
  const agent = kit(`skerry-agent-${version}`, [AGENT_BUNDLE, LAUNCHER_BUNDLE, units])
  const cloud = kit(`skerry-cloud-${version}`, [path.join(ROOT, 'cloud', 'systemd')])
  // a server has no node_modules
  const inCloud = await buildCloud({ into: cloud.folder, alone: true })
  cpSync(CONSOLE_ASSETS, path.join(cloud.folder, 'console'), { recursive: true })
  const { folders } = JSON.parse(readFileSync(`${AGENT_BUNDLE}.meta.json`, 'utf8')) as { readonly folders: readonly string[] }
  const faces = (packages: readonly string[]): readonly string[] => packages.map((name) => `node_modules/${name}`)
  writeFileSync(path.join(agent.folder, NOTICES), noticesOf(ROOT, [...folders, ...faces(ON_PAGES)]))
  writeFileSync(path.join(cloud.folder, NOTICES), noticesOf(ROOT, [...inCloud, ...faces([...ON_PAGES, 'preact-iso', 'yaml'])]))
  for (const { name, archive } of [agent, cloud]) pack(name, archive)
  const sums = [agent, cloud].map(({ archive }) => `${createHash('sha256').update(readFileSync(archive)).digest('hex')}  ${path.basename(archive)}\n`)
  writeFileSync(path.join(KITS, 'SHA256SUMS'), sums.join(''))
  return { agent, cloud }
}

/** Files and the contents of folders, all in one folder. */
function kit(name: string, from: readonly string[]): Kit {
  const folder = path.join(KITS, name)
  mkdirSync(folder, { recursive: true })
  for (const source of [...from, path.join(ROOT, 'LICENSE')]) {
    if (statSync(source).isDirectory()) cpSync(source, folder, { recursive: true })
    else cpSync(source, path.join(folder, path.basename(source)))
  }
  return { name, archive: path.join(KITS, `${name}.tar.gz`), folder }
}

function pack(name: string, archive: string): void {
  const day = `@${Math.floor(Number(process.env['SOURCE_DATE_EPOCH'] ?? Date.now() / 1000) / 86_400) * 86_400}`
  const equal = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${day}`, '--mode=u=rwX,go=rX']
  execFileSync('tar', ['-C', KITS, ...equal, '--use-compress-program', 'gzip -n -9', '-cf', archive, name])
}

if (import.meta.main) {
  await buildAgent()
  await buildLauncher()
  await buildConsole()
  const { agent, cloud } = await packKits()
  process.stdout.write(`
kits in ${path.relative(ROOT, KITS)}/, each with an install.sh (README: "On real machines"):
  ${path.basename(cloud.archive)}  on the server:  tar xzf it, then  sudo sh install.sh --advertise cloud.example.com
  ${path.basename(agent.archive)}  on a gateway:   tar xzf it, then  sudo sh install.sh --join join.json
`)
}
