import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planDeployment } from '../../cloud/core/deployment.ts'
import { boundsOf } from '../../cloud/core/rolling-update.ts'
import { isControlledBy, nameOf, uidOf } from '../../cloud/core/meta.ts'
import { isActive, isReady } from '../../cloud/core/pod-state.ts'
import { podFromTemplate } from '../../cloud/core/pod-template.ts'
import { planReplicaSet } from '../../cloud/core/replica-set.ts'
import type { Deployment } from '../../cloud/resources/deployment.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import type { ReplicaSet } from '../../cloud/resources/replica-set.ts'

/** A Deployment, its sets and pods, moved by controllers that run when the test says so and by pods that become ready. */
class Model {
  deployment: Deployment
  sets: ReplicaSet[] = []
  pods: Pod[] = []
  #count = 0

  constructor(replicas: number, maxSurge: number | string, maxUnavailable: number | string) {
    this.deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', uid: 'd', generation: 1 },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: template(0),
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      },
    }
  }

  syncDeployment(): void {
    const plan = planDeployment(this.deployment, this.sets, this.pods, { ms: 0, iso: '2026-01-01T00:00:00Z' })
    for (const next of plan.update) this.#replace({ ...next, metadata: { ...next.metadata, generation: (next.metadata.generation ?? 0) + 1 } })
    this.sets = this.sets.filter((set) => !plan.remove.some((gone) => nameOf(gone) === nameOf(set)))
    if (plan.create !== null)
      this.sets.push({ ...plan.create, metadata: { ...plan.create.metadata, uid: this.#id('s'), generation: 1, creationTimestamp: this.#time() } })
    this.deployment = { ...this.deployment, status: plan.status }
  }

  syncSet(index: number): void {
    const set = this.sets[index % Math.max(1, this.sets.length)]
    if (set === undefined) return
    const plan = planReplicaSet(set, this.pods, 0)
    this.pods = this.pods.filter((pod) => !plan.remove.includes(pod))
    for (let made = 0; made < plan.create; made += 1) {
      const pod = podFromTemplate(set, set.spec.template, { suffix: this.#id('p') })
      this.pods.push({ ...pod, metadata: { ...pod.metadata, uid: nameOf(pod), creationTimestamp: this.#time() } })
    }
    this.#replace({ ...set, status: planReplicaSet(set, this.pods, 0).status })
  }

  makeReady(index: number): void {
    const waiting = this.pods.filter((pod) => !isReady(pod))
    const pod = waiting[index % Math.max(1, waiting.length)]
    const status = { phase: 'Running' as const, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: this.#time() }] }
    this.pods = this.pods.map((one) => (one === pod ? { ...one, status } : one))
  }

  setTemplate(version: number): void {
    this.deployment = {
      ...this.deployment,
      metadata: { ...this.deployment.metadata, generation: (this.deployment.metadata.generation ?? 0) + 1 },
      spec: { ...this.deployment.spec, template: template(version) },
    }
  }

  settle(): void {
    for (let round = 0; round < 60; round += 1) {
      this.syncDeployment()
      this.sets.forEach((_, index) => this.syncSet(index))
      for (let left = this.pods.length; left > 0; left -= 1) this.makeReady(0)
    }
  }

  active(): readonly Pod[] {
    return this.pods.filter(isActive)
  }

  #replace(next: ReplicaSet): void {
    this.sets = this.sets.map((set) => (nameOf(set) === nameOf(next) ? next : set))
  }

  #id(prefix: string): string {
    this.#count += 1
    return `${prefix}${this.#count}`
  }

  #time(): string {
    this.#count += 1
    return `2026-01-01T00:00:00.${String(this.#count).padStart(6, '0')}Z`
  }
}

function template(version: number): Deployment['spec']['template'] {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: `web:${version}` }] } }
}

const amount = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '25%', '50%', '100%'))
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deployment' as const), index: fc.constant(0) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), index: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ready' as const), index: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('template' as const), index: fc.nat(3) }) },
)

test('a rolling update keeps its bounds in every order of events, and ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), amount, amount, fc.array(step, { maxLength: 60 }), (replicas, surge, unavailable, steps) => {
      const model = new Model(replicas, surge, unavailable)
      model.settle()
      const { maxSurge, maxUnavailable } = boundsOf(model.deployment)
      for (const { kind, index } of steps) {
        if (kind === 'deployment') model.syncDeployment()
        if (kind === 'set') model.syncSet(index)
        if (kind === 'ready') model.makeReady(index)
        if (kind === 'template') model.setTemplate(index)
        expect(model.active().length).toBeLessThanOrEqual(replicas + maxSurge)
        expect(model.active().filter(isReady).length).toBeGreaterThanOrEqual(replicas - maxUnavailable)
      }
      model.settle()
      const current = model.sets.find((set) => (set.spec.replicas ?? 0) > 0)
      expect(model.active().map((pod) => pod.spec.containers[0]?.image)).toEqual(
        Array.from({ length: replicas }, () => model.deployment.spec.template.spec.containers[0]?.image),
      )
      expect(current !== undefined && model.active().every((pod) => isControlledBy(pod, uidOf(current)))).toBe(true)
      expect(model.deployment.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe('NewReplicaSetAvailable')
      expect(model.sets.length).toBeLessThanOrEqual(11)
    }),
    { numRuns: 300 },
  )
})

test('scaling in the middle of a rollout ends at the new size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), fc.nat(6), (before, after, rounds) => {
      const model = new Model(before, '25%', '25%')
      model.settle()
      model.setTemplate(1)
      for (let round = 0; round < rounds; round += 1) {
        model.syncDeployment()
        model.syncSet(round)
        model.makeReady(round)
      }
      model.deployment = { ...model.deployment, spec: { ...model.deployment.spec, replicas: after } }
      model.settle()
      expect(model.active().map((pod) => pod.spec.containers[0]?.image)).toEqual(Array.from({ length: after }, () => 'web:1'))
    }),
    { numRuns: 200 },
  )
})

test('a paused Deployment keeps its template but follows its size', () => {
  const model = new Model(4, 1, 1)
  model.settle()
  model.deployment = { ...model.deployment, spec: { ...model.deployment.spec, paused: true } }
  model.setTemplate(1)
  model.deployment = { ...model.deployment, spec: { ...model.deployment.spec, replicas: 6 } }
  model.settle()
  expect(model.active().map((pod) => pod.spec.containers[0]?.image)).toEqual(Array.from({ length: 6 }, () => 'web:0'))
})
