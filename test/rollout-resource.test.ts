import { describe, expect, test } from 'vitest'
import { check } from '../protocol/shape.ts'
import { withHistory } from '../cloud/resources/rollout-history.ts'
import { gateOf } from '../cloud/resources/rollout-spec.ts'
import { ROLLOUTS, ROLLOUT_SHAPE } from '../cloud/resources/rollout.ts'
import type { Rollout } from '../cloud/resources/rollout.ts'

const rollout = (spec: Readonly<Record<string, unknown>> = {}): Rollout => {
  const sent: Rollout = {
    apiVersion: 'skerry.dev/v1',
    kind: 'Rollout',
    metadata: { name: 'web-2', namespace: 'default', generation: 1 },
    spec: { release: [{ daemonSet: 'web', images: { main: 'web:2' } }], ...spec },
  }
  return ROLLOUTS.defaults(sent)
}
const issues = (spec: Readonly<Record<string, unknown>>, old: Rollout | null = null): readonly string[] => {
  const object = rollout(spec)
  const shape = check(ROLLOUT_SHAPE, object)
  return [...shape, ...(shape.length > 0 ? [] : ROLLOUTS.validate(object, old))].map(({ path, message }) => `${path}: ${message}`)
}

describe('a Rollout', () => {
  test('needs little: a canary first, then the rest', () => {
    expect(issues({})).toEqual([])
    expect(rollout().spec).toMatchObject({
      waves: [{ name: 'canary', count: 1 }, { name: 'rest' }],
      deadlineSeconds: 1800,
      silence: { policy: 'Ignore', afterSeconds: 300 },
      maxParallel: 100,
    })
    expect(gateOf(rollout({ gate: { soakSeconds: 5 } }).spec, { gate: { healthyPercent: 50 } })).toEqual({
      healthyPercent: 50,
      soakSeconds: 5,
      maxFailures: null,
      maxFailurePercent: 5,
      minMembers: 10,
      metrics: [],
    })
  })

  test.each([
    [{ release: [] }, 'spec.release: needs at least one DaemonSet that changes'],
    [{ release: [{ daemonSet: 'a' }] }, 'spec.release[0]: needs exactly one of images, templatePatch and template; it has none'],
    [
      {
        release: [
          { daemonSet: 'a', images: { m: 'x' } },
          { daemonSet: 'a', images: { m: 'x' } },
        ],
      },
      'spec.release[1].daemonSet: a is named twice',
    ],
    [
      { release: [{ daemonSet: 'a', templatePatch: { replicas: 2 } }] },
      'spec.release[0].templatePatch.replicas: a pod template has metadata and spec only',
    ],
    [{ waves: [{}, { count: 1 }] }, 'spec.waves[0]: takes the rest, so it must be the last wave; give it percent, count, selector or names'],
    [
      { waves: [{ count: 1, percent: 5 }] },
      'spec.waves[0]: takes its members by one of percent, count, selector and names; it has percent and count',
    ],
    [{ waves: [{ name: 'a', count: 1 }, { name: 'a' }] }, 'spec.waves[1].name: "a" is already the name of wave 1'],
    [{ maxParallel: 0 }, 'spec.maxParallel: must not be 0: nothing would ever change; use paused: true to stop'],
    [{ maxParallel: 'lots' }, 'spec.maxParallel: "lots" must be a whole number or a percentage such as "25%"'],
    [
      { window: { updateWindow: 'never' } },
      'spec.window.updateWindow: "never" is not a window; write "22:00-04:00" or "Mon-Fri 22:00-04:00", several with ";" between',
    ],
    [{ approvedWave: 9 }, 'spec.approvedWave: must be at most 3, the number of the last wave'],
    [{ exclude: [{ reason: 'x' }] }, 'spec.exclude[0]: needs a selector or names'],
    [{ gate: { metrics: [{ reading: 'podMemory' }] } }, 'spec.gate.metrics[0]: needs a bound: max, min, or both'],
    [
      { gate: { metrics: [{ reading: 'podMemory', max: 'lots' }] } },
      'spec.gate.metrics[0].max: "lots" is not a quantity; write for example "500m", "64Mi" or 2',
    ],
    [
      { waves: [{ gate: { metrics: [{ reading: 'deviceDiskPercent', max: 101 }] } }] },
      'spec.waves[0].gate.metrics[0].max: must be at most 100 (percent), is 101',
    ],
    [{ gate: { metrics: [{ reading: 'podCpu', max: '100m', min: '1' }] } }, 'spec.gate.metrics[0].min: must not be above max, is 1 above 100m'],
    [
      { gate: { metrics: [{ reading: 'podCpu', min: '1m', aggregate: 'P95' }] } },
      'spec.gate.metrics[0].min: does not go with P95, the value that 95 % of devices do not exceed; use Share',
    ],
    [
      {
        gate: {
          metrics: [
            { reading: 'podPids', max: 9 },
            { reading: 'podPids', min: 1 },
          ],
        },
      },
      'spec.gate.metrics[1].reading: podPids is measured twice; give it min and max together',
    ],
    [{ gate: { metrics: [{ reading: 'podPids', max: 9, forSeconds: 5 }] } }, 'spec.gate.metrics[0].forSeconds: must be at least 10, is 5'],
    [{ promotedWave: 9 }, 'spec.promotedWave: must be at most 4, one more than the last wave: past its gate, too'],
    [{ bandwidth: { cellular: '1M' } }, 'spec.bandwidth.cellular: unknown field "spec.bandwidth.cellular"'],
    [{ bandwidth: { metered: '1Mbit' } }, 'spec.bandwidth.metered: "1Mbit" is not a quantity; write for example "500m", "64Mi" or 2'],
    [{ bandwidth: { metered: '10' } }, 'spec.bandwidth.metered: must be bytes a second from 1Ki to 1024Gi, such as 200Ki, is 10'],
    [{ bandwidth: {} }, 'spec.bandwidth: needs metered, unmetered, or both'],
  ])('%j is refused by its field', (spec, says) => {
    expect(issues(spec)).toEqual([says])
  })

  test('what chose the members may not change, what a person counted up never goes down', () => {
    const old = rollout({ approvedWave: 2, rolledBackWaves: [1], abort: 'Return' })
    expect(issues({ target: { names: ['gw-1'] }, waves: [{ count: 2 }, {}], approvedWave: 1 }, old)).toEqual([
      'spec.target: is fixed once created: make another Rollout',
      'spec.waves: are fixed once created, but for gate and approval: make another Rollout',
      'spec.approvedWave: must not go down: it is 2',
      'spec.abort: cannot be taken back; make another Rollout',
      'spec.rolledBackWaves: waves that were rolled back stay so; make another Rollout',
    ])
    const gates = {
      waves: [
        { name: 'canary', count: 1, gate: { soakSeconds: 1 } },
        { name: 'rest', approval: true },
      ],
    }
    expect(issues(gates, rollout())).toEqual([])
  })

  test('keeps who did what and why, and not what a client says about that', () => {
    const by = { name: 'ann', nowIso: '2026-01-01T00:00:00Z' }
    const made = withHistory({ ...rollout(), history: [{ generation: 9, at: 'x', by: 'eve', actions: ['approved'] }] }, null, by)
    expect(made.history).toEqual([{ generation: 1, at: by.nowIso, by: 'ann', actions: ['created'] }])
    const next = {
      ...made,
      metadata: { ...made.metadata, generation: 2, annotations: { 'skerry.dev/reason': 'looks good', keep: 'this' } },
      spec: { ...made.spec, paused: true, approvedWave: 2, maxParallel: 5 },
    }
    const changed = withHistory(next, made, { ...by, name: 'bob' })
    expect(changed.metadata.annotations).toEqual({ keep: 'this' })
    expect(changed.history?.[1]).toEqual({
      generation: 2,
      at: by.nowIso,
      by: 'bob',
      reason: 'looks good',
      actions: ['paused', 'approved', 'changed'],
    })
  })

  test('shows where it stands', () => {
    const status = {
      phase: 'Running',
      releasedWave: 1,
      waves: [],
      counts: { members: 10, done: 3, failed: 1, rolledBackByDevice: 1, offline: 2, skipped: 4 },
    }
    const cells = ROLLOUTS.cells({ ...rollout(), status } as Rollout, 0)
    expect(cells.slice(1, 6)).toEqual(['Running', '1/0', '3/10', 2, 2])
  })
})
