/** Whatever the files of a host hold, the inventory is sound, and so are the Node and the topology that the cloud makes of it. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { newNode, nodeWithNews } from '../../cloud/core/node-status.ts'
import { nodeTopology } from '../../cloud/core/node-topology.ts'
import { NODE_RESOURCE_TOPOLOGIES } from '../../cloud/resources/node-resource-topology.ts'
import { NODES } from '../../cloud/resources/node.ts'
import { createCopyReader } from '../../edge-agent/inventory/collect.ts'
import { INVENTORY } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { check } from '../../protocol/shape.ts'
import { fakeHost } from '../fakes/host.ts'
import type { HostFiles } from '../fakes/host.ts'

const BOARDS = path.join(import.meta.dirname, '../fixtures/boards')
const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }

interface Board {
  readonly files: HostFiles
  readonly links: HostFiles
}

const boards: readonly Board[] = readdirSync(BOARDS).map((file) => {
  const board: HostFiles | Board = JSON.parse(readFileSync(path.join(BOARDS, file), 'utf8'))
  return isWithLinks(board) ? board : { files: board, links: {} }
})

function isWithLinks(board: HostFiles | Board): board is Board {
  return typeof board.files === 'object'
}

const NASTY = [
  '',
  '-1',
  '0-',
  '0-999999',
  '4294967296',
  'ffffffff,ffffffff',
  '1 2 3',
  'max',
  '__proto__',
  '9'.repeat(40),
  'x'.repeat(9000),
  '0x10de',
  '0x030200',
  '0',
  '1',
]
const garbage = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 600 }), fc.constantFrom(...NASTY))
/** real paths, and new ones beside them */
const damageOf = ({ files, links }: Board): fc.Arbitrary<HostFiles> => {
  const known = fc.constantFrom(...Object.keys(files), ...Object.keys(links))
  const beside = fc.tuple(known, fc.stringMatching(/^[a-z0-9:.]{1,12}$/)).map(([name, word]) => `${path.posix.dirname(name)}/${word}`)
  return fc.dictionary(fc.oneof(known, beside), garbage, { maxKeys: 40 })
}

test.each(boards)('a damaged board is still described soundly (%#)', async (board) => {
  await fc.assert(
    fc.asyncProperty(
      damageOf(board),
      fc.dictionary(fc.constantFrom(...Object.keys(board.links), '/sys/class/drm/card0/device'), garbage, { maxKeys: 4 }),
      async (files, links) => {
        const host = fakeHost({ ...board.files, ...files }, [], { ...board.links, ...links })
        const reader = await createCopyReader({ device: 'gw-1', agentVersion: '0', clock, engine: () => null }, host)
        const { inventory } = await reader.collect()
        expect(check(INVENTORY, inventory)).toEqual([])
        expect(JSON.stringify(inventory).length).toBeLessThan(LIMITS.inventoryBytes.value)
        const node = nodeWithNews(newNode('gw-1'), { device: 'gw-1', inventory, report: null, silent: null, alarms: [] }, '2026-01-01T00:00:00Z')
        expect(check(NODES.shape, node)).toEqual([])
        const named = { ...node, metadata: { ...node.metadata, uid: 'u' } }
        expect(check(NODE_RESOURCE_TOPOLOGIES.shape, nodeTopology(named, inventory))).toEqual([])
      },
    ),
    { numRuns: 60, seed: 20_26 },
  )
})

test.each(boards)('no file of a board is taken for a word that every table has (%#)', async ({ files, links }) => {
  for (const word of ['__proto__', 'constructor'])
    for (const name of Object.keys(files)) {
      const host = fakeHost({ ...files, [name]: word }, [], links)
      const reader = await createCopyReader({ device: 'gw-1', agentVersion: '0', clock, engine: () => null }, host)
      const { inventory } = await reader.collect()
      expect([name, check(INVENTORY, inventory)]).toEqual([name, []])
    }
})
