/** `npm run build`: the agent bundle, the cloud bundle and the console, all below `dist/`. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { build as viteBuild } from 'vite'
import { ROOT, buildAgent, buildLauncher } from './build-agent.ts'
import { packageFolders } from './third-party.ts'

export const CLOUD_BUNDLE = path.join(ROOT, 'dist', 'skerry-cloud.mjs')
export const CLI_BUNDLE = path.join(ROOT, 'dist', 'skerry.mjs')
export const CONSOLE_ASSETS = path.join(ROOT, 'dist', 'console')

/** A library that asks for another at run time, in a file of ECMAScript modules. */
const REQUIRE = "import { createRequire as skerryRequire } from 'node:module'; const require = skerryRequire(import.meta.url);"

/**
 * Packages stay outside: the cloud runs beside its node_modules, only our own sources are joined. `alone`: all in one file, for a
 * server that has none. @returns folders of the packages that went in
 */
export async function buildCloud({ into = path.join(ROOT, 'dist'), alone = false } = {}): Promise<readonly string[]> {
  const folders: string[] = []
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  for (const [entry, outfile] of [
    ['cloud/main.ts', path.join(into, path.basename(CLOUD_BUNDLE))],
    ['cloud/cli/main.ts', path.join(into, path.basename(CLI_BUNDLE))],
  ] as const) {
    const { metafile } = await build({
      metafile: true,
      absWorkingDir: ROOT,
      entryPoints: [path.join(ROOT, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      packages: alone ? 'bundle' : 'external',
      sourcemap: alone ? false : 'linked',
      define: { SKERRY_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
      banner: { js: `#!/usr/bin/env node${alone ? `\n${REQUIRE}` : ''}` },
    })
    folders.push(...packageFolders(metafile))
  }
  return folders
}

export async function buildConsole(): Promise<void> {
  await viteBuild({
    configFile: path.join(ROOT, 'cloud/console/web/vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: CONSOLE_ASSETS, emptyOutDir: true },
  })
}

export async function buildAll(): Promise<void> {
  const agent = await buildAgent()
  process.stdout.write(`agent    ${path.relative(ROOT, agent.file)}  ${agent.bytes} bytes (${agent.gzipBytes} gzip)\n`)
  await buildLauncher()
  await buildCloud()
  process.stdout.write(`cloud    ${path.relative(ROOT, CLOUD_BUNDLE)}, ${path.relative(ROOT, CLI_BUNDLE)}\n`)
  await buildConsole()
  process.stdout.write(`console  ${path.relative(ROOT, CONSOLE_ASSETS)}/\n`)
}

if (import.meta.main) await buildAll()
