import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import { contractPlan, engineContract } from './contract/engine.contract.ts'
import { FakeClock, settle } from './fakes/clock.ts'
import { FakeEngine } from './fakes/engine.ts'

engineContract('fake', (device) => {
  const clock = new FakeClock()
  const engine = new FakeEngine({ clock, device, images: ['busybox:1'] })
  return Promise.resolve({
    engine,
    image: 'busybox:1',
    crash: (name) => Promise.resolve(engine.exit(name, 137)),
    soon: settle,
    close: () => Promise.resolve(),
  })
})

function make(): { readonly clock: FakeClock; readonly engine: FakeEngine } {
  const clock = new FakeClock()
  return { clock, engine: new FakeEngine({ clock, device: 'gw-contract', images: ['busybox:1'], registry: ['new:1'] }) }
}

describe('fake engine faults', () => {
  it('ends programs on the clock', async () => {
    const { clock, engine } = make()
    engine.programs.set('busybox:1', { exitsAfterMs: 500, exitCode: 3 })
    await engine.create(contractPlan('a', 'busybox:1'))
    await engine.start('skerry-default-a-main')
    await clock.advance(499)
    expect(engine.all()[0]?.state).toBe('running')
    await clock.advance(1)
    expect(engine.all()[0]).toMatchObject({ state: 'exited', exitCode: 3 })
  })

  it('loses or keeps what runs when the daemon restarts', async () => {
    const { engine } = make()
    await engine.create(contractPlan('a', 'busybox:1'))
    await engine.start('skerry-default-a-main')
    engine.stopDaemon(true)
    await expect(engine.observe()).rejects.toMatchObject({ reason: { code: 'engine.unreachable' } })
    expect(await engine.start('skerry-default-a-main')).toMatchObject({ ok: false, cause: { code: 'engine.unreachable' } })
    engine.startDaemon()
    expect(await engine.observe()).toMatchObject([{ state: 'running' }])
    engine.stopDaemon(false)
    engine.startDaemon()
    expect(await engine.observe()).toMatchObject([{ state: 'exited', exitCode: 137 }])
  })

  it('fails the next call as told, once', async () => {
    const { engine } = make()
    engine.failNext('start', cause('container.start.failed', { why: 'told so' }))
    await engine.create(contractPlan('a', 'busybox:1'))
    expect(await engine.start('skerry-default-a-main')).toMatchObject({ ok: false })
    expect(await engine.start('skerry-default-a-main')).toEqual({ ok: true })
  })

  it('pulls slowly, stops when told, and knows what no registry has', async () => {
    const { clock, engine } = make()
    engine.pullMs = 1_000
    const closer = new AbortController()
    const stopped = engine.ensureImage('new:1', 'IfNotPresent', closer.signal)
    await clock.advance(10)
    closer.abort()
    expect(await stopped).toMatchObject({ ok: false })
    const pulled = engine.ensureImage('new:1', 'IfNotPresent', new AbortController().signal)
    await clock.advance(1_000)
    expect(await pulled).toEqual({ ok: true })
    const unknown = engine.ensureImage('none:1', 'IfNotPresent', new AbortController().signal)
    await clock.advance(1_000)
    expect(await unknown).toMatchObject({ ok: false, cause: { code: 'image.pull.not-found' } })
  })

  it('hangs until the timeout', async () => {
    const { clock, engine } = make()
    engine.hungTimeoutMs = 15_000
    const asked = expect(engine.observe()).rejects.toMatchObject({ reason: { code: 'engine.timeout' } })
    await clock.advance(15_000)
    await asked
  })
})
