/** The rows of the cloud's cause tables that the agent can say: all others are sentences that no device ever shows. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'esbuild'
import type { CauseEntry } from '../protocol/cause-entry.ts'
import { PLACEMENT_CAUSES } from '../protocol/causes-placement.ts'
import { ROLLOUT_CAUSES } from '../protocol/causes-rollout.ts'
import { TOPOLOGY_CAUSES } from '../protocol/causes-topology.ts'

const TABLES: Readonly<Record<string, { readonly name: string; readonly rows: Readonly<Record<string, CauseEntry>> }>> = {
  'causes-placement.ts': { name: 'PLACEMENT_CAUSES', rows: PLACEMENT_CAUSES },
  'causes-rollout.ts': { name: 'ROLLOUT_CAUSES', rows: ROLLOUT_CAUSES },
  'causes-topology.ts': { name: 'TOPOLOGY_CAUSES', rows: TOPOLOGY_CAUSES },
}

/** @param agentDir the agent's sources: a code counts as said when it stands there as a text, whole or by its beginning */
export function agentCauses(agentDir: string): Plugin {
  const sources = readdirSync(agentDir, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => readFileSync(path.join(agentDir, file), 'utf8'))
    .join('\n')
  const composed = [...sources.matchAll(/`([a-z.-]+\.)\$\{/g)].map((match) => match[1] ?? '')
  const isSaid = (code: string): boolean => sources.includes(`'${code}'`) || composed.some((prefix) => code.startsWith(prefix))
  return {
    name: 'causes-of-the-agent',
    setup(context) {
      context.onLoad({ filter: /[\\/]protocol[\\/]causes-(placement|rollout|topology)\.ts$/ }, ({ path: file }) => {
        const table = TABLES[path.basename(file)]
        if (table === undefined) return undefined
        const rows = Object.fromEntries(Object.entries(table.rows).filter(([code]) => isSaid(code)))
        return { contents: `export const ${table.name} = ${JSON.stringify(rows)}`, loader: 'js' }
      })
    },
  }
}
