/** Builds the field page: script and style bundled and put inside one HTML file. `node scripts/build-page.ts FILE` writes it. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'

const WEB = fileURLToPath(new URL('../edge-agent/local-page/web/', import.meta.url))

/** The whole page as one string. */
export async function buildFieldPage(): Promise<string> {
  const [html, script, style] = await Promise.all([readFile(`${WEB}page.html`, 'utf8'), bundled('main.tsx'), bundled('page.css')])
  if (/<\/(script|style)/i.test(script) || /<\/style/i.test(style))
    throw new Error('the field page bundle contains a closing tag and would end its own script')
  return html
    .replace('/*css*/', () => style)
    .replace('/*js*/', () => script)
    .replace(/>\n+</g, '><')
}

/** Puts the page into a bundle, packed: edge-agent/local-page/page-asset.ts reads it from this constant. */
export function fieldPagePlugin(page: string): Plugin {
  return {
    name: 'field-page',
    setup: ({ initialOptions }) => {
      initialOptions.define = { ...initialOptions.define, SKERRY_FIELD_PAGE: JSON.stringify(gzipSync(page, { level: 9 }).toString('base64')) }
    },
  }
}

async function bundled(entry: string): Promise<string> {
  const built = await build({
    entryPoints: [`${WEB}${entry}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: {},
  })
  return (built.outputFiles[0]?.text ?? '').trim()
}

const [, script, target] = process.argv
if (script === fileURLToPath(import.meta.url) && target !== undefined) await writeFile(target, await buildFieldPage())
