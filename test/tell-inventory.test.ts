/** What a device is reaches the loop also when it learns more of itself while it looks. */
import { expect, it } from 'vitest'
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { AgentEvent, AgentState } from '../edge-agent/core/state.ts'
import { inventoryTeller } from '../edge-agent/tell-inventory.ts'
import type { Inventory } from '../protocol/inventory.ts'

const BARE: Inventory = {
  device: 'gw-1',
  at: '2026-01-01T00:00:00Z',
  agentVersion: '0',
  os: { name: 'Debian', kernel: '6.1.0', arch: 'arm64' },
  topology: { threads: 1, onlineCpus: '0', numaNodes: [{ id: 0, cpus: '0' }] },
  memory: { totalBytes: 1 },
  pids: { capacity: 1 },
  allocatable: {},
  capacity: {},
}

it('the engine that answers while the hardware is read is in what is told', async () => {
  let goOn = (): void => undefined
  const slow = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let engine: Inventory['engine'] = undefined
  let state: AgentState = initialState({ device: 'gw-1', sid: 's', agentVersion: '0' }, { monoMs: 0, wallMs: 0 })
  const loop = {
    state: () => state,
    dispatch: (event: AgentEvent) => {
      if (event.kind === 'inventory') state = { ...state, inventory: event.inventory }
    },
  }
  const collect = async (): Promise<{ inventory: Inventory; hostIp: null }> => {
    const seen = engine
    await slow
    return { inventory: { ...BARE, ...(seen === undefined ? {} : { engine: seen }) }, hostIp: null }
  }
  const tell = inventoryTeller({ collect }, loop, { error: (msg) => expect.fail(msg) })
  const first = tell()
  engine = { name: 'docker', version: '20.10.24' }
  await tell()
  goOn()
  await first
  expect(state.inventory?.engine).toEqual({ name: 'docker', version: '20.10.24' })
})
