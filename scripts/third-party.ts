/** Whose work is inside a bundle, and under which licence: the texts go with what is given away. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Metafile } from 'esbuild'

/** Folders of the packages of which something is in the bundle, as paths from the root; what a plugin put in its place is ours. */
export function packageFolders(meta: Metafile): readonly string[] {
  const folders = Object.keys(meta.inputs).flatMap((file) => /^(?:[^:]*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? [])
  return [...new Set(folders)].toSorted()
}

/** @throws when a package says nothing of its licence: somebody has to look */
export function noticesOf(root: string, folders: readonly string[]): string {
  return [...new Set(folders)]
    .toSorted()
    .map((folder) => noticeOf(path.join(root, folder)))
    .join('\n')
}

function noticeOf(folder: string): string {
  const file = path.join(folder, 'package.json')
  if (!existsSync(file)) throw new Error(`${folder} is in a bundle and is no package`)
  const { name = '', version = '', license } = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string | undefined>>
  const texts = readdirSync(folder).filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry))
  if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} says nothing of its licence`)
  const head = `${'='.repeat(79)}\n${name} ${version} (${license ?? 'see below'})\n`
  return `${head}${texts.map((text) => `\n${readFileSync(path.join(folder, text), 'utf8').trim()}\n`).join('')}`
}
