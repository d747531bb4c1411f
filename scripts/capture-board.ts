/**
 * `tsx scripts/capture-board.ts OUT.tar.gz | OUT.json [--root DIR]`: keeps exactly the files that the inventory reads of this
 * machine, as a fixture. The archive unpacks into a folder for `skerry-agent inventory --root`; the JSON is path -> content.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { recordMachine } from './capture/recorder.ts'
import { toTar } from './capture/tar.ts'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { root: { type: 'string' } }, allowPositionals: true })
  const [out] = positionals
  if (out === undefined || positionals.length > 1 || !/\.(tar\.gz|tgz|json)$/.test(out)) {
    console.error('usage: capture-board OUT.tar.gz | OUT.json [--root DIR]')
    return 64
  }
  const copy = await recordMachine(values.root ?? '/')
  const { files, links, names } = copy
  const flat = { ...files, ...Object.fromEntries(names.map((name) => [name, ''])) }
  const bytes = out.endsWith('.json') ? Buffer.from(`${JSON.stringify({ files: flat, links }, null, 1)}\n`) : gzipSync(toTar(copy), { level: 9 })
  writeFileSync(out, bytes)
  console.log(
    `${out}: ${Object.keys(files).length} files, ${Object.keys(links).length} links, ${bytes.byteLength} bytes. Look through it before you share it.`,
  )
  return 0
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`capture-board: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  },
)
