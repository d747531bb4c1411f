/** The keeper of Services against a small engine of networks, with real files and real listeners on loopback addresses. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PlannedNetwork, ServicePlan } from '../edge-agent/core/service-model.ts'
import type { NetworkEngine } from '../edge-agent/ports.ts'
import { systemClock } from '../edge-agent/runtime/system-clock.ts'
import { createServiceKeeper } from '../edge-agent/services/service-keeper.ts'
import type { ServiceKeeper } from '../edge-agent/services/service-keeper.ts'
import { cause } from '../protocol/causes.ts'
import type { Cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import { FakeClock } from './fakes/clock.ts'

class Networks implements NetworkEngine {
  readonly there = new Map<string, PlannedNetwork>()
  away = false
  refuses = ''
  inUse = ''
  passes = 0
  async ensureNetworks(wanted: readonly PlannedNetwork[]): Promise<readonly Cause[]> {
    if (this.away) throw new Error('the engine is away')
    for (const network of wanted) if (network.name !== this.refuses) this.there.set(network.name, network)
    return wanted.flatMap(({ name, of }) => (name === this.refuses ? [cause('network.failed', { namespace: of, why: 'no' })] : []))
  }
  async dropNetworks(wanted: ReadonlySet<string>): Promise<boolean> {
    this.passes += 1
    const unwanted = [...this.there.keys()].filter((name) => !wanted.has(name))
    for (const name of unwanted) if (name !== this.inUse) this.there.delete(name)
    return !unwanted.includes(this.inUse)
  }
}

let folder = ''
let networks = new Networks()
let told: (readonly string[])[] = []
let keeper: ServiceKeeper
const log = { info: () => {}, warn: () => {}, error: () => {} }
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'skerry-hosts-')), 'hosts')
  networks = new Networks()
  told = []
  keeper = createServiceKeeper({ networks, clock: systemClock, log, folder, onCauses: (causes) => void told.push(causes.map(({ code }) => code)) })
})
afterEach(async () => {
  await keeper.stop()
  rmSync(path.dirname(folder), { recursive: true, force: true })
})

const plan = (more: Partial<ServicePlan> = {}): ServicePlan => ({ networks: [], listeners: [], hosts: [], ...more })
const network = (name: string): PlannedNetwork => ({ name, of: 'default' })

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('the keeper', () => {
  it('writes hosts files before it returns, in place, and takes away those of pods that are gone', () => {
    keeper.apply(
      plan({
        hosts: [
          { podUid: 'a', text: 'one of a\n' },
          { podUid: 'b', text: 'b\n' },
        ],
      }),
    )
    const file = path.join(folder, 'a')
    const inode = statSync(file).ino
    expect(readFileSync(file, 'utf8')).toBe('one of a\n')
    keeper.apply(plan({ hosts: [{ podUid: 'a', text: 'a\n' }] }))
    expect([readFileSync(file, 'utf8'), statSync(file).ino, readdirSync(folder)]).toEqual(['a\n', inode, ['a']])
  })

  it('makes the networks of the plan and takes away others', async () => {
    const service = { ...network('service'), address: '198.18.0.1' }
    keeper.apply(plan({ networks: [network('one'), service] }))
    await until(() => networks.there.size === 2)
    keeper.apply(plan({ networks: [network('one')] }))
    await until(() => networks.there.size === 1)
    expect([...networks.there.keys()]).toEqual(['one'])
  })

  it('leaves a namespace its network for a while, but not when the engine is short of them', async () => {
    const clock = new FakeClock()
    const own = createServiceKeeper({ networks, clock, log, folder, onCauses: () => {} })
    const settled = async (networksOf: readonly string[]): Promise<void> => {
      const passes = networks.passes
      own.apply(plan({ networks: networksOf.map(network) }))
      await until(() => networks.passes > passes)
      await clock.advance(0)
    }
    await settled(['one'])
    await settled([])
    await clock.advance(LIMITS.networkLingerMs.value - 1)
    expect(networks.there.size).toBe(1)
    await settled(['one'])
    await clock.advance(2 * LIMITS.networkLingerMs.value)
    expect(networks.there.size).toBe(1)
    await settled([])
    await clock.advance(LIMITS.networkLingerMs.value)
    await until(() => networks.there.size === 0)
    await settled(['one'])
    networks.refuses = 'two'
    await settled(['two'])
    await until(() => networks.there.size === 0)
    await own.stop()
  })

  it('asks the engine nothing while names alone change, and takes away later what is still in use', async () => {
    const clock = new FakeClock()
    const own = createServiceKeeper({ networks, clock, log, folder, onCauses: () => {} })
    own.apply(plan({ networks: [network('one'), { ...network('two'), address: '198.18.0.1' }] }))
    await until(() => networks.passes === 1)
    networks.inUse = 'two'
    own.apply(plan({ networks: [network('one')] }))
    await until(() => networks.passes === 2)
    await clock.advance(0)
    for (const text of ['a\n', 'b\n']) own.apply(plan({ networks: [network('one')], hosts: [{ podUid: 'a', text }] }))
    expect([readFileSync(path.join(folder, 'a'), 'utf8'), networks.passes]).toEqual(['b\n', 2])
    networks.inUse = ''
    await clock.advance(LIMITS.retryMaxMs.value)
    await until(() => networks.passes === 3)
    expect([...networks.there.keys()]).toEqual(['one'])
    await clock.advance(10 * LIMITS.retryMaxMs.value)
    expect(networks.passes).toBe(3)
    await own.stop()
  })

  it('makes a network again that somebody took away', async () => {
    keeper.apply(plan({ networks: [network('one')] }))
    await until(() => networks.there.size === 1)
    networks.there.clear()
    keeper.recheck()
    await until(() => networks.there.size === 1)
  })

  it('tells what is not as wanted, tries again by itself, and tells when it is', async () => {
    networks.away = true
    keeper.apply(plan({ networks: [network('one')] }))
    await until(() => told.length === 1)
    networks.away = false
    networks.refuses = 'one'
    await until(() => told.length === 2)
    networks.refuses = ''
    keeper.recheck()
    await until(() => told.length === 3)
    expect(told).toEqual([['service.failed'], ['network.failed'], []])
  })

  it('writes files that the disk did not take when it does, and says so meanwhile', async () => {
    writeFileSync(folder, 'in the way')
    keeper.apply(plan({ hosts: [{ podUid: 'a', text: 'a\n' }] }))
    await until(() => told.length === 1)
    rmSync(folder)
    await until(() => told.length === 2)
    expect([told, readFileSync(path.join(folder, 'a'), 'utf8')]).toEqual([[['service.failed'], []], 'a\n'])
  })

  it('answers on the ports of the plan, and names one that is taken', async () => {
    const backend = createServer((socket) => socket.end('here'))
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    const { port } = backend.address() as AddressInfo
    const listener = { service: 'default/web', host: '127.0.0.2', backends: [{ host: '127.0.0.1', port, near: true }], affinitySeconds: null }
    keeper.apply(
      plan({
        listeners: [
          { ...listener, port },
          { ...listener, host: '127.0.0.1', port },
        ],
      }),
    )
    await until(() => told.length === 1)
    expect(told).toEqual([['service.port-taken']])
    expect(await ask('127.0.0.2', port)).toBe('here')
    await new Promise((resolve) => backend.close(resolve))
  })
})

function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    connect({ host, port })
      .setEncoding('utf8')
      .on('data', (part: string) => (text += part))
      .on('end', () => resolve(text))
      .on('error', reject)
  })
}
