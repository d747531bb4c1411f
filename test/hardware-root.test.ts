/** `--hardware-root`: the agent tells of a board that is only files, and of nothing else. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openInventory } from '../edge-agent/tell-inventory.ts'
import { BOARD_PIDS, writeTwoNodeBoard } from './integration/two-node-board.ts'

const root = mkdtempSync(path.join(tmpdir(), 'skerry-board-'))
const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
const GIB = 2 ** 30

describe('hardware root', () => {
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('gives the nodes, CPUs, memory and PIDs of the board, and no address or disk of this machine', async () => {
    writeTwoNodeBoard(root)
    const reader = await openInventory(root, { device: 'gw-1', agentVersion: '0', clock, engine: () => null })
    const { inventory, hostIp } = await reader.collect()
    expect(inventory.topology.numaNodes).toEqual([
      { id: 0, cpus: '0', memoryBytes: 4 * GIB, distances: [10, 21] },
      { id: 1, cpus: '1-2', memoryBytes: 4 * GIB, distances: [21, 10] },
    ])
    expect(inventory.capacity).toEqual({ cpu: 3_000, memory: 8 * GIB, pids: BOARD_PIDS, pods: expect.any(Number) })
    expect(inventory.allocatable).toMatchObject({ cpu: 2_900, pids: 3_687 })
    expect([inventory.addresses, hostIp]).toEqual([[], null])
  })
})
