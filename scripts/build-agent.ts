/**
 * Builds the agent: one file, `dist/skerry-agent.cjs`, that needs nothing but Node >= 20. Parts of libraries that a device never uses are
 * replaced by empty modules, and the build fails when one of them comes back or the file passes its budget.
 */
import { readFileSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Metafile, Plugin } from 'esbuild'
import { agentCauses } from './agent-causes.ts'
import { buildFieldPage, fieldPagePlugin } from './build-page.ts'
import { packageFolders } from './third-party.ts'

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
export const AGENT_BUNDLE = path.join(ROOT, 'dist', 'skerry-agent.cjs')
export const LAUNCHER_BUNDLE = path.join(ROOT, 'dist', 'skerry-launch.cjs')
/** Read at each start of the agent: what grows it past this should be worth it on a 256 MiB board. */
export const BUNDLE_BYTES_MAX = 750_000

/** Flags of Node that the agent's unit starts it with, and what it tells the C library; the unit says why. */
export const AGENT_NODE_FLAGS: readonly string[] = ['--optimize-for-size', '--max-semi-space-size=1', '--no-opt']
export const AGENT_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
}

/** Package or file -> why a gateway never needs it. */
const STUBBED: readonly { readonly filter: RegExp; readonly why: string }[] = [
  { filter: /^ssh2$/, why: 'the engine is reached over a unix socket only; carries native files' },
  { filter: /^cpu-features$/, why: 'native, only for ssh2' },
  { filter: /^(@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/, why: 'BuildKit sessions: a gateway builds no images' },
  { filter: /^socks$/, why: 'the link is MQTT over TCP or TLS' },
  { filter: /^(tar-fs|@balena\/dockerignore)$/, why: 'packing build contexts' },
]

/**
 * Files inside libraries that are replaced: the web and proxy ways into MQTT, the ssh way into the engine, swarm and plugins, and the
 * server's half of live sessions.
 */
const STUBBED_FILES = [
  /mqtt\/build\/lib\/connect\/(ws|wx|ali|socks)(\.js)?$/,
  /docker-modem\/lib\/ssh(\.js)?$/,
  /dockerode\/lib\/(service|plugin|secret|config|task|node)(\.js)?$/,
  /ws\/lib\/websocket-server(\.js)?$/,
]

/** Parts with nothing to do here, and what stands in for them. */
const REPLACED: Readonly<Record<string, { readonly why: string; readonly contents: string }>> = {
  debug: {
    why: 'switched on by an environment variable that no device sets; loads the terminal',
    contents: 'module.exports = () => Object.assign(() => {}, { enabled: false, extend: () => () => {} })',
  },
  'worker-timers': { why: 'timers of browsers; the link asks for native ones', contents: 'module.exports = {}' },
  'lru-cache': { why: 'topic aliases of MQTT 5; the link speaks 3.1.1', contents: 'module.exports = { LRUCache: class {} }' },
  child_process: {
    why: 'only named by the memory reader, which starts nothing; loading it brings cluster and datagrams along',
    contents: 'module.exports = new Proxy({}, { get: (_, key) => (...args) => require("node:child_process")[key](...args) })',
  },
}

/** Old copies of what Node has. */
const BUILT_IN: Readonly<Record<string, string>> = {
  'readable-stream': 'node:stream',
  inherits: 'skerry-inherits',
  'safe-buffer': 'node:buffer',
  string_decoder: 'node:string_decoder',
}

/** Loaded only when first used: a link without TLS and an engine on a unix socket never need them, and they cost 6 MiB resident. */
const LAZY = /^(https|tls|zlib)$/

const stubs: Plugin = {
  name: 'stub-what-a-gateway-never-uses',
  setup(context) {
    for (const { filter } of STUBBED) context.onResolve({ filter }, (args) => ({ path: args.path, namespace: 'stub' }))
    // live sessions have their own use for it
    context.onResolve({ filter: /^ws$/ }, (args) => (args.resolveDir.includes('node_modules') ? { path: args.path, namespace: 'stub' } : undefined))
    context.onResolve({ filter: /^\.{1,2}\// }, (args) => {
      const full = path.join(args.resolveDir, args.path)
      return STUBBED_FILES.some((pattern) => pattern.test(full)) ? { path: full, namespace: 'stub' } : undefined
    })
    context.onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
    context.onResolve({ filter: LAZY }, (args) => (args.resolveDir.includes('node_modules') ? { path: args.path, namespace: 'lazy' } : undefined))
    context.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path: name }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, key) => (key === '__esModule' ? undefined : require('node:${name}')[key]) })`,
      loader: 'js',
    }))
    for (const name of Object.keys(REPLACED)) {
      context.onResolve({ filter: new RegExp(`^${name}$`) }, (args) =>
        args.resolveDir.includes('node_modules') ? { path: name, namespace: 'replaced' } : undefined,
      )
    }
    context.onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path: name }) => ({ contents: REPLACED[name]?.contents ?? '', loader: 'js' }))
    for (const [name, replacement] of Object.entries(BUILT_IN)) {
      context.onResolve({ filter: new RegExp(`^${name}/?$`) }, (args) =>
        args.resolveDir.includes('node_modules')
          ? { path: replacement, namespace: replacement.startsWith('node:') ? 'builtin' : 'inherits' }
          : undefined,
      )
    }
    context.onLoad({ filter: /.*/, namespace: 'builtin' }, (args) => ({
      contents: `module.exports = require(${JSON.stringify(args.path)})`,
      loader: 'js',
    }))
    context.onLoad({ filter: /.*/, namespace: 'inherits' }, () => ({ contents: 'module.exports = require("node:util").inherits', loader: 'js' }))
  },
}

/** The reasons in the table of limits are for people who read the sources: 20 KB that no device prints. */
const limitsWithoutReasons: Plugin = {
  name: 'limits-without-reasons',
  setup(context) {
    context.onLoad({ filter: /[\\/]protocol[\\/]limits[a-z-]*\.ts$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, 'utf8')).replace(/(\blimit\([^,]+,\s*'(?:bytes|ms|count)',\s*)'(?:[^'\\]|\\.)*'/g, "$1''"),
      loader: 'ts',
    }))
  },
}

/** Of systeminformation one function is used, and of its 40 KB of helpers two: the rest starts programs of other systems. */
const onlyMemory: Plugin = {
  name: 'only-the-memory-reader',
  setup(context) {
    context.onLoad({ filter: /systeminformation[\\/]lib[\\/]memory\.js$/ }, async ({ path: file }) => ({
      contents: upTo(await readFile(file, 'utf8'), 'exports.mem = mem;'),
      loader: 'js',
    }))
    context.onLoad({ filter: /systeminformation[\\/]lib[\\/]util\.js$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8')
      const functions = ['isFunction', 'getValue'].map((name) => upTo(source.slice(source.indexOf(`function ${name}(`)), '\n}\n'))
      return { contents: `${functions.join('')}\nmodule.exports = { isFunction, getValue }`, loader: 'js' }
    })
  },
}

/** @throws when a new version of a package has no such part */
function upTo(source: string, end: string): string {
  const at = source.indexOf(end)
  if (at < 0) throw new Error(`a package no longer has ${JSON.stringify(end)}: look at how the bundle is cut`)
  return source.slice(0, at + end.length)
}

export interface AgentBuild {
  readonly file: string
  readonly bytes: number
  readonly gzipBytes: number
  /** largest packages in the bundle, bytes after minification */
  readonly largest: readonly (readonly [string, number])[]
}

/** @throws when a stubbed package is back, a native file came in, or the budget is passed. */
export async function buildAgent(outfile: string = AGENT_BUNDLE, version: string = packageVersion()): Promise<AgentBuild> {
  await mkdir(path.dirname(outfile), { recursive: true })
  const result = await build({
    entryPoints: [path.join(ROOT, 'edge-agent/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    keepNames: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    banner: { js: '#!/usr/bin/env node' },
    define: { SKERRY_VERSION: JSON.stringify(version), SKERRY_BUILT_MS: String(builtMs()) },
    plugins: [fieldPagePlugin(await buildFieldPage()), agentCauses(path.join(ROOT, 'edge-agent')), limitsWithoutReasons, onlyMemory, stubs],
  })
  assertLean(result.metafile)
  const foreign = /[^ -~\s]/u.exec(await readFile(outfile, 'utf8'))
  // one such character makes the engine hold the whole file in two bytes a letter
  if (foreign !== null)
    throw new Error(`the agent bundle holds ${JSON.stringify(foreign[0])}, which is not ASCII (a regular expression? write it as \\u)`)
  const bytes = (await stat(outfile)).size
  if (bytes > BUNDLE_BYTES_MAX)
    throw new Error(
      `${outfile} has ${bytes} bytes, at most ${BUNDLE_BYTES_MAX}; see the largest parts: ${JSON.stringify(byPackage(result.metafile).slice(0, 8))}`,
    )
  await writeFile(`${outfile}.meta.json`, JSON.stringify({ sizes: byPackage(result.metafile), folders: packageFolders(result.metafile) }, null, 1))
  return { file: outfile, bytes, gzipBytes: gzipSync(await readFile(outfile)).byteLength, largest: byPackage(result.metafile).slice(0, 10) }
}

/** A device's clock is never before it; the day is exact enough, and equal sources of one day make equal files. */
function builtMs(): number {
  const given = Number(process.env['SOURCE_DATE_EPOCH'])
  const dayMs = 86_400_000
  return Number.isSafeInteger(given) && given > 0 ? given * 1000 : Math.floor(Date.now() / dayMs) * dayMs
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }).version
}

/** What the service starts: chooses which agent runs. Lies beside the packaged agent. */
export async function buildLauncher(outfile: string = LAUNCHER_BUNDLE): Promise<void> {
  await build({
    entryPoints: [path.join(ROOT, 'edge-agent/self-update/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: '#!/usr/bin/env node' },
    plugins: [limitsWithoutReasons],
  })
}

function assertLean(meta: Metafile): void {
  const unwanted = Object.keys(meta.inputs).filter(
    (file) => /node_modules\/(ssh2|cpu-features|@grpc|protobufjs|socks|tar-fs)\//.test(file) || file.endsWith('.node'),
  )
  if (unwanted.length > 0) throw new Error(`the agent bundle took in ${unwanted.slice(0, 5).join(', ')}; stub it in scripts/build-agent.ts`)
}

function byPackage(meta: Metafile): readonly (readonly [string, number])[] {
  const sizes = new Map<string, number>()
  for (const output of Object.values(meta.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'skerry'
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput)
    }
  }
  return [...sizes].sort((a, b) => b[1] - a[1])
}
