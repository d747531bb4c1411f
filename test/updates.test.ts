import { describe, expect, it } from 'vitest'
import type { DesiredPod } from '../edge-agent/core/model.ts'
import { overrideRefusal } from '../edge-agent/core/overrides.ts'
import { LIMITS } from '../protocol/limits.ts'
import { pod, smallDevice } from './agent-world.ts'
import { Gateway } from './update-world.ts'

const MINUTE = 60_000
const web = (version: string, policy: DesiredPod['policy'] = {}): DesiredPod => ({
  ...pod({ uid: 'web', hash: `${version}0`, image: `web:${version}`, grace: 1 }),
  labels: { 'controller-revision-hash': version },
  policy,
})

/** A device on which revision a1 of web has been healthy for a while. */
function settled(policy: DesiredPod['policy'] = {}): Gateway {
  const device = new Gateway()
  device.tell([web('a1', policy)])
  device.pass(MINUTE)
  expect(device.running('web')).toEqual(['web:a1'])
  device.done.length = 0
  return device
}

/** The engine ends with all that runs, and answers again after that time. */
function outage(device: Gateway, ms: number): void {
  for (const one of device.engine.list()) if (one.state === 'running') device.engine.stop(one)
  device.engineAnswers = false
  device.send({ kind: 'engine-event' })
  device.pass(ms)
  device.engineAnswers = true
  device.send({ kind: 'engine-event' })
  device.pass(1_000)
}

describe('an update of a pod that stays', () => {
  it('fetches and makes the new one before the old one ends', () => {
    const device = settled()
    device.tell([web('b2')])
    device.pass(MINUTE)
    expect(device.done).toEqual(['fetch web:b2', 'fetch web:b2', 'create', 'stop', 'start', 'remove'])
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:b2'], undefined])
  })

  it('is told of once, at its end, when that comes soon', () => {
    const device = settled()
    device.told.length = 0
    device.tell([web('b2')])
    device.pass(LIMITS.reportHoldMs.value - 1)
    expect(device.told.map(({ converged, pods }) => [converged, pods[0]?.specHash, pods[0]?.update])).toEqual([[true, web('b2').specHash, undefined]])
  })

  it('leaves the old one, and restarts it, while the image cannot be had', () => {
    const device = settled()
    device.missing.add('web:b2')
    device.tell([web('b2')])
    device.pass(MINUTE)
    expect(device.pod('web')).toMatchObject({
      ready: true,
      specHash: web('a1').specHash,
      update: { reason: 'Downloading', cause: { code: 'image.pull.failed' } },
    })
    for (const one of device.engine.list()) device.engine.stop(one)
    device.send({ kind: 'engine-event' })
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
    device.missing.clear()
    device.pass(20 * MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
  })

  it('is healthy as soon as it was seen to run for long enough, without waiting for an idle look', () => {
    const device = new Gateway()
    device.tell([web('a1')])
    device.pass(LIMITS.revisionStableMs.value + 500)
    expect(device.state.updates?.records['web']?.healthy).toBe(web('a1').specHash)
  })

  it('follows at once where nothing was ever healthy', () => {
    const device = new Gateway()
    device.broken.add('web:a1')
    device.tell([web('a1')])
    device.pass(MINUTE)
    device.tell([web('b2')])
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:b2'])
  })

  it('only the newest of several', () => {
    const device = settled()
    device.missing.add('web:b2')
    device.tell([web('b2')])
    device.pass(MINUTE)
    device.tell([web('c3')])
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:c3'])
    expect(Object.values(device.state.updates?.records ?? {}).flatMap(({ kept }) => kept.map((one) => one.pod.specHash.slice(0, 2)))).toEqual(['a1'])
  })

  it('waits for the disk: a revision on trial is known as such before it runs', () => {
    const device = settled()
    device.tell([web('b2', { window: '06:00-07:00', timeZone: 'UTC' })])
    device.pass(MINUTE)
    device.diskWorks = false
    device.leap(6 * 60 * MINUTE + MINUTE)
    device.pass(5 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.diskWorks = true
    device.tell([web('b2')])
    device.pass(5 * MINUTE)
    expect([device.running('web'), device.disk?.updates?.['web']?.healthy?.slice(0, 2)]).toEqual([['web:b2'], 'b2'])
  })
})

describe('a rollback by the device itself', () => {
  it('returns after the deadline, says why, and does not try that release again', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 60 })])
    device.pass(40_000)
    expect(device.running('web')).toEqual([])
    device.pass(40_000)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(60 * MINUTE)
    expect(device.done.filter((step) => step === 'create')).toHaveLength(2)
    expect(device.pod('web')).toMatchObject({
      ready: true,
      specHash: web('a1').specHash,
      update: {
        reason: 'RolledBack',
        wanted: web('bad').specHash,
        cause: { code: 'update.rolled-back', facts: { revision: 'bad00000', to: 'a1000000' } },
      },
    })
    expect(device.pod('web')?.update?.cause?.facts?.['why']).toContain('code 1')
  })

  it('never leaves a revision that became ready in time, however short the deadline is', () => {
    const device = settled()
    device.tell([web('b2', { readySeconds: 5 })])
    device.pass(10 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:b2'], undefined])
  })

  it('needs no network, and survives power cuts', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 300 })])
    device.pass(30_000)
    device.missing.add('web:a1').add('web:bad')
    device.missing.clear()
    device.restart(true)
    device.pass(10_000)
    device.restart(true)
    device.pass(6 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.restart(true)
    device.pass(MINUTE)
    expect([device.running('web'), device.pod('web')?.update?.reason]).toEqual([['web:a1'], 'RolledBack'])
  })

  it('ends a trial that takes the agent down each time', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 3600 })])
    device.pass(20_000)
    for (let start = 0; start < 4; start += 1) {
      device.restart(true)
      device.pass(1_000)
    }
    expect([device.running('web'), device.pod('web')?.update?.cause?.facts?.['why']]).toEqual([
      ['web:a1'],
      'the agent or the engine was started 4 times before it was ready',
    ])
  })

  it('learns nothing about a revision while the engine is away', () => {
    const device = settled()
    device.tell([web('b2', { readySeconds: 30 })])
    device.pass(2_000)
    outage(device, 10 * MINUTE)
    device.pass(5 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:b2'], undefined])
  })

  it('ends a trial that takes the engine down each time', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 3600 })])
    device.pass(5_000)
    for (let start = 0; start < 4; start += 1) outage(device, MINUTE)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
  })

  it('tries the same spec again when it is offered as another release', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 30 })])
    device.pass(2 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.broken.clear()
    device.tell([web('bad', { readySeconds: 30 }), pod({ uid: 'other' })])
    device.pass(2 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.tell([{ ...web('bad'), labels: { 'controller-revision-hash': 'again' } }])
    device.pass(2 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:bad'], undefined])
  })

  it('does not happen where it is switched off, or nothing was healthy before', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 30, rollback: false })])
    device.pass(10 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([[], undefined])
    device.tell([web('bad', { readySeconds: 30, rollback: false }), { ...web('bad'), uid: 'fresh', name: 'fresh' }])
    device.pass(10 * MINUTE)
    expect(device.pod('fresh')?.update).toBeUndefined()
  })

  it('takes nothing for healthy by the clock alone: what a hanging engine did not say is not known', () => {
    const device = new Gateway()
    device.tell([web('a1')])
    for (const one of device.engine.list()) device.engine.stop(one)
    device.state = { ...device.state, observing: true }
    device.leap(LIMITS.revisionStableMs.value + 1_000)
    device.tell([web('a1'), { ...web('a1'), uid: 'other', name: 'other' }])
    expect(device.state.updates?.records['web']?.healthy).toBeNull()
  })

  it('brings back values that only the older revision used', () => {
    const device = new Gateway()
    const uses = (name: string, key: string): DesiredPod => {
      const one = web(name, { readySeconds: 30 })
      const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key } } }]
      return { ...one, spec: { ...one.spec, containers: [{ name: 'app', image: `web:${name}`, env }] } }
    }
    const settings = (data: Record<string, string>) => ({ configs: [{ kind: 'ConfigMap', namespace: 'default', name: 'settings', data } as const] })
    device.tell([uses('a1', 'old')], settings({ old: '1' }))
    device.pass(MINUTE)
    device.broken.add('web:bad')
    device.tell([uses('bad', 'new')], settings({ new: '2' }))
    device.pass(5 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.restart(true)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
  })
})

describe('what the device cannot take', () => {
  it('is not begun, not held against the revision, and is begun when it can', () => {
    const device = settled()
    const gone: DesiredPod = { ...web('b2', { readySeconds: 30 }), placement: { pids: 5_000 } }
    device.send({ kind: 'inventory', inventory: smallDevice(), hostIp: null })
    device.tell([gone])
    device.pass(10 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toMatchObject([
      ['web:a1'],
      { reason: 'Updating', cause: { code: 'placement.pids.short' } },
    ])
    device.send({ kind: 'inventory', inventory: { ...smallDevice(), pids: { capacity: 10_000 } }, hostIp: null })
    device.pass(MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:b2'], undefined])
  })
})

describe('a switch that was taken back before it was made', () => {
  it('leaves the trial of what runs as it was', () => {
    const device = settled()
    device.broken.add('web:bad')
    device.tell([web('bad', { readySeconds: 60 })])
    device.pass(20_000)
    device.missing.add('web:c3')
    device.tell([web('c3')])
    device.pass(5_000)
    device.tell([web('bad', { readySeconds: 60 })])
    device.pass(2 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update?.reason]).toEqual([['web:a1'], 'RolledBack'])
  })

  it('is on trial when the power is cut between the disk and the switch', () => {
    const device = settled()
    device.broken.add('web:bad')
    // the save that holds the switch is the last thing that happens
    device.tell([web('bad', { readySeconds: 60 })])
    expect(device.disk?.updates?.['web']).toMatchObject({ trial: { starts: 0 } })
    device.restart(true)
    device.pass(2 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update?.reason]).toEqual([['web:a1'], 'RolledBack'])
  })
})

describe('what holds an update', () => {
  const NIGHT = { window: '22:00-04:00', timeZone: 'Europe/Berlin' }

  it('a window: downloads before, switches inside, by the zone of the pod', () => {
    // 00:00 UTC is 01:00 in Berlin: open until 03:00 UTC
    const device = settled(NIGHT)
    device.leap(4 * 60 * MINUTE)
    device.tell([web('b2', NIGHT)])
    device.pass(60 * MINUTE)
    expect(device.done).toEqual(['fetch web:b2'])
    expect(device.pod('web')).toMatchObject({
      ready: true,
      update: { reason: 'WindowClosed', cause: { facts: { zone: 'Europe/Berlin', opens: '2026-01-01T21:00:00Z' } } },
    })
    device.leap(15 * 60 * MINUTE)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(61 * MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
  })

  it('a window stays closed while the clock cannot be trusted, and says so', () => {
    const device = settled()
    device.state = { ...device.state, clock: { ...device.state.clock, proof: null } }
    device.tell([web('b2', { window: '00:00-24:00' })])
    device.pass(60 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update?.cause?.code]).toEqual([['web:a1'], 'policy.window.clock'])
  })

  it('a lock, until it expires by the time that was left, whatever the clock says', () => {
    const device = settled()
    const lock = { owner: 'line 2', reason: 'batch runs', expires: '2026-01-01T01:00:00Z' }
    device.tell([web('b2', { lock })], { issuedAt: '2026-01-01T00:30:00Z' })
    device.pass(MINUTE)
    expect(device.pod('web')?.update).toMatchObject({ reason: 'Locked', cause: { facts: { owner: 'line 2', reason: 'batch runs' } } })
    device.wallMs += 365 * 86_400_000
    device.restart()
    device.pass(25 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(10 * MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
  })

  it('a lock never holds for ever', () => {
    const device = settled()
    const lock = { owner: 'x', reason: 'y', expires: '2099-01-01T00:00:00Z' }
    device.tell([web('b2', { lock })])
    device.leap(6 * 86_400_000)
    expect(device.running('web')).toEqual(['web:a1'])
    device.leap(2 * 86_400_000)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
  })

  it('a person on site, in spite of an open window; and the other way round', () => {
    const device = settled()
    device.decide({ kind: 'hold-update', podUid: 'web', forMs: 30 * MINUTE })
    device.tell([web('b2')])
    device.pass(29 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update?.reason]).toEqual([['web:a1'], 'Held'])
    device.pass(2 * MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
    device.tell([web('c3', { window: 'Sun 00:00-00:01', lock: { owner: 'a', reason: 'b', expires: '2026-01-02T00:00:00Z' } })])
    device.pass(MINUTE)
    expect(device.running('web')).toEqual(['web:b2'])
    device.decide({ kind: 'update-now', podUid: 'web' })
    device.pass(MINUTE)
    expect([device.running('web'), device.report?.overrides?.map((one) => [one.kind, one.owner])]).toEqual([['web:c3'], [['update-now', 'anna']]])
  })
})

describe('a device that lost its newest document', () => {
  it('goes by the one that the cloud sends again, though it says what the older one said', () => {
    const device = new Gateway()
    device.tell([])
    const older = device.disk
    device.tell([web('a1')])
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
    if (older === null || older.desired === null) throw new Error('nothing was saved')
    device.disk = { ...older, floor: { epoch: 1, generation: 7 } }
    device.restart()
    device.pass(1_000)
    expect(device.running('web'), 'nothing is taken away by a document that is not the newest').toEqual(['web:a1'])
    device.send({ kind: 'target', desired: { ...older.desired, generation: 7 } })
    device.pass(1_000)
    expect(device.running('web')).toEqual([])
  })
})

describe('run previous', () => {
  it('runs the release before for a while, also over a power cut, then the wanted one again', () => {
    const device = settled()
    device.tell([web('b2')])
    device.pass(MINUTE)
    device.decide({ kind: 'run-previous', podUid: 'web', forMs: 30 * MINUTE })
    device.pass(1_000)
    expect([device.running('web'), device.pod('web')?.update?.reason]).toEqual([['web:a1'], 'Held'])
    device.restart(true)
    device.pass(10 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(25 * MINUTE)
    expect([device.running('web'), device.pod('web')?.update]).toEqual([['web:b2'], undefined])
  })

  it('is refused where none is kept', () => {
    const device = settled()
    const request = { id: 'x', kind: 'run-previous', podUid: 'web', owner: 'anna', reason: 'r', forMs: 600_000 } as const
    expect(overrideRefusal(device.state, request)?.code).toBe('override.local.no-previous')
    device.tell([web('b2')])
    device.pass(MINUTE)
    expect(overrideRefusal(device.state, request)).toBeNull()
  })
})

describe('a pod that may run only so long without the cloud', () => {
  const HOUR = 60 * MINUTE
  const fencing = (seconds = 3600): Gateway => {
    const device = new Gateway()
    device.reach()
    device.tell([web('a1', { stopAfterSeconds: seconds }), pod({ uid: 'other' })])
    device.pass(MINUTE)
    return device
  }

  it('is stopped after that time, alone, and goes on where it was with the first word of the cloud', () => {
    const device = fencing()
    device.pass(3 * HOUR)
    device.lose()
    // a lost link is noticed late: it is counted from before
    device.pass(58 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(90_000)
    expect([device.running('web'), device.running('other').length]).toEqual([[], 1])
    const made = device.engine.made
    device.reach(true)
    device.pass(10 * MINUTE)
    expect([device.running('web'), device.pod('web')?.cause?.code]).toEqual([[], 'policy.disconnect.stopped'])
    device.reach()
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
    expect(device.engine.list().filter((one) => one.podUid === 'web')).toHaveLength(1)
    expect(device.engine.made).toBe(made + 1)
  })

  it('counts on over restarts of the agent', () => {
    const device = fencing()
    device.lose()
    device.pass(30 * MINUTE)
    device.restart()
    device.pass(10 * MINUTE)
    device.restart()
    device.pass(15 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
    device.pass(7 * MINUTE)
    expect(device.running('web')).toEqual([])
    device.restart(true)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual([])
  })

  it('waits for the cloud after a reboot, however short it is alone: who knows how long it was off?', () => {
    const device = fencing()
    device.pass(HOUR)
    device.lose()
    device.restart(true)
    device.pass(MINUTE)
    expect([device.running('web'), device.running('other').length]).toEqual([[], 1])
    expect(device.pod('web')?.cause?.code).toBe('policy.disconnect.unsure')
    device.reach(true)
    device.pass(MINUTE)
    expect(device.running('web')).toEqual([])
    device.reach()
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
    // from here on it is an ordinary one: it may run its hour alone
    device.lose()
    device.pass(30 * MINUTE)
    expect(device.running('web')).toEqual(['web:a1'])
  })

  it('counts the time that an agent was away, when the clock is believed', () => {
    const device = fencing()
    device.lose()
    device.pass(30 * MINUTE)
    device.wallMs += 2 * HOUR
    device.restart()
    device.pass(1_000)
    expect(device.running('web')).toEqual([])
    device.reach()
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
  })

  it('is not started before a newer document is on disk', () => {
    const device = fencing()
    device.lose()
    device.pass(2 * HOUR)
    device.diskWorks = false
    device.reach(true)
    device.tell([pod({ uid: 'other' })])
    device.pass(MINUTE)
    expect(device.running('web')).toEqual([])
    device.diskWorks = true
    device.pass(MINUTE)
    expect(device.engine.list().map((one) => one.podUid)).toEqual(['other'])
  })

  it('waits while another one runs in its place', () => {
    const device = fencing()
    device.tell([web('a1', { stopAfterSeconds: 3600, standby: true })])
    device.pass(1_000)
    expect([device.running('web'), device.pod('web')?.cause?.code]).toEqual([[], 'policy.disconnect.standby'])
    device.tell([web('a1', { stopAfterSeconds: 3600 })])
    device.pass(1_000)
    expect(device.running('web')).toEqual(['web:a1'])
  })

  it('is never stopped by short cuts, however many', () => {
    const device = fencing(600)
    for (let cut = 0; cut < 20; cut += 1) {
      device.lose()
      device.pass(5 * MINUTE)
      device.reach()
      device.pass(MINUTE)
      expect(device.running('web')).toEqual(['web:a1'])
    }
  })
})
