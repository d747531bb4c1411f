/**
 * What a rollout would do, before it does: who changes in which wave, who is refused and why, what has to be pulled, and how
 * long it takes. What is not known is said to be unknown. The members are frozen by the same function that starts a rollout.
 */
import { causeSentence } from '../../../protocol/causes.ts'
import type { LinkClass } from '../../../protocol/link.ts'
import type { PullRate } from '../../../protocol/pull-rate.ts'
import { digestOf } from '../../../protocol/revision.ts'
import { pullRateOf } from '../../resources/pull-rate.ts'
import { resolveAmount } from '../../resources/rollout-amount.ts'
import type { ReleaseTemplates, RolloutMember } from '../../resources/rollout-members.ts'
import { gateOf } from '../../resources/rollout-spec.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import { waveName, wavesOf } from './freeze.ts'
import { summaryOf } from './templates.ts'
import { diffOf } from './template-diff.ts'
import type { FieldChange } from './template-diff.ts'

export interface PlanFacts {
  /** not heard now: it changes when it returns */
  isSilent(node: string): boolean
  /** images that the device certainly has, because its pods run them or it lists them */
  imagesOn(node: string): ReadonlySet<string>
  /** size as other devices report it; null = nobody does */
  sizeOf(image: string): number | null
  /** what its link costs, as far as the cloud knows */
  linkClassOf(node: string): LinkClass
  /** from the start of a container to ready, as the pods of the DaemonSets took it; null = never seen */
  readonly startSeconds: number | null
}

export interface PlannedDevice {
  readonly node: string
  readonly wave: number
  /** skipped = refused or left out; `sentence` says why */
  readonly verdict: RolloutMember['verdict']
  readonly sentence?: string
  readonly silent: boolean
  /** images it has to fetch; those it has already are not in the list */
  readonly pulls: readonly string[]
  /** null = the size of one of them is not known */
  readonly bytesToPull: number | null
  /** what that takes at least under spec.bandwidth; null = not limited, or not known */
  readonly pullSeconds: number | null
}

export interface PlannedWave {
  readonly number: number
  readonly name: string
  readonly members: number
  readonly skipped: number
  readonly silent: number
  readonly approval: boolean
  readonly healthyPercent: number
  readonly soakSeconds: number
  /** with downloads as far as spec.bandwidth tells their time, without waiting for windows and people; null = not known */
  readonly expectedSeconds: number | null
}

export interface RolloutPlan {
  readonly apiVersion: 'skerry.dev/v1'
  readonly kind: 'RolloutPlan'
  /** put it into spec.planId to start with exactly these members */
  readonly planId: string
  readonly madeAt: string
  readonly rollout: string
  readonly namespace: string
  readonly releases: readonly { readonly daemonSet: string; readonly summary: string; readonly changes: readonly FieldChange[] }[]
  readonly waves: readonly PlannedWave[]
  readonly totals: {
    readonly members: number
    readonly skipped: number
    readonly silent: number
    /** over the devices whose share is known */
    readonly bytesToPull: number
    readonly devicesWithUnknownBytes: number
    readonly expectedSeconds: number | null
    /** how long a pod is away while it switches; null = not known */
    readonly downtimeSeconds: { readonly from: number; readonly to: number } | null
    /** what the expectation leaves out */
    readonly notCounted: readonly string[]
  }
  readonly devices: readonly PlannedDevice[]
}

export interface PlanSubject {
  readonly name: string
  readonly namespace: string
  readonly spec: RolloutSpec
  readonly parts: readonly ReleaseTemplates[]
  readonly members: readonly RolloutMember[]
  readonly madeAt: string
}

/** What a plan was made for: a Rollout that starts from it must ask for the same. */
export function planDigest({ release, target, waves }: RolloutSpec): string {
  return digestOf({ release, target: target ?? null, waves: waves ?? [] })
}

/** The same for the same members of the same release. */
export function planIdOf(spec: RolloutSpec, members: readonly RolloutMember[]): string {
  return digestOf({ of: planDigest(spec), members: members.map(({ node, wave, verdict }) => [node, wave, verdict === 'skipped']) }).slice(0, 16)
}

export function describePlan(subject: PlanSubject, facts: PlanFacts): RolloutPlan {
  const { spec, members, parts } = subject
  const images = [...new Set(parts.flatMap(({ next }) => [...(next.spec.initContainers ?? []), ...next.spec.containers].map(({ image }) => image)))]
  const rate = pullRateOf(spec.bandwidth)
  const devices = members.map((member) => deviceOf(member, images, rate, facts))
  const waves = wavesOf(spec).map((_, index) => waveOf(subject, devices, index + 1, facts))
  const seconds = waves.map(({ expectedSeconds }) => expectedSeconds)
  const known = devices.filter(({ verdict }) => verdict !== 'skipped')
  return {
    apiVersion: 'skerry.dev/v1',
    kind: 'RolloutPlan',
    planId: planIdOf(spec, members),
    madeAt: subject.madeAt,
    rollout: subject.name,
    namespace: subject.namespace,
    releases: parts.map((part) => ({ daemonSet: part.daemonSet, summary: summaryOf(part), changes: diffOf(part.previous, part.next) })),
    waves,
    totals: {
      members: devices.length,
      skipped: devices.length - known.length,
      silent: known.filter(({ silent }) => silent).length,
      bytesToPull: known.reduce((sum, { bytesToPull }) => sum + (bytesToPull ?? 0), 0),
      devicesWithUnknownBytes: known.filter(({ bytesToPull }) => bytesToPull === null).length,
      expectedSeconds: seconds.every((value) => value !== null) ? seconds.reduce((sum, value) => sum + value, 0) : null,
      downtimeSeconds: downtimeOf(parts, facts.startSeconds),
      notCounted: notCounted(spec, known),
    },
    devices,
  }
}

function deviceOf(member: RolloutMember, images: readonly string[], rate: PullRate | null, facts: PlanFacts): PlannedDevice {
  const has = facts.imagesOn(member.node)
  const pulls = member.verdict === 'skipped' ? [] : images.filter((image) => !has.has(image))
  const sizes = pulls.map((image) => facts.sizeOf(image))
  const bytesToPull = sizes.every((size) => size !== null) ? sizes.reduce((sum, size) => sum + size, 0) : null
  const bytesPerSecond = rate?.[facts.linkClassOf(member.node)]
  return {
    node: member.node,
    wave: member.wave,
    verdict: member.verdict,
    ...(member.cause === undefined ? {} : { sentence: causeSentence(member.cause) }),
    silent: facts.isSilent(member.node),
    pulls,
    bytesToPull,
    pullSeconds: bytesToPull === null || bytesPerSecond === undefined ? null : Math.ceil(bytesToPull / bytesPerSecond),
  }
}

function waveOf({ spec, members }: PlanSubject, devices: readonly PlannedDevice[], number: number, facts: PlanFacts): PlannedWave {
  const waves = wavesOf(spec)
  const here = devices.filter(({ wave }) => wave === number)
  const changing = here.filter(({ verdict, silent }) => verdict !== 'skipped' && !silent)
  const heard = changing.length
  // what is fetched ahead is there when a later wave starts
  const isAhead = number > 1 && (spec.prefetch ?? 'None') !== 'None'
  const pulling = isAhead ? 0 : Math.max(0, ...changing.map(({ pullSeconds }) => pullSeconds ?? 0))
  const { healthyPercent, soakSeconds, metrics } = gateOf(spec, waves[number - 1])
  const places = Math.max(1, resolveAmount(spec.maxParallel ?? 100, members.length, 'up'))
  const perDevice = facts.startSeconds === null ? null : pulling + facts.startSeconds + soakSeconds
  const measuring = Math.max(0, ...metrics.map(({ forMs }) => forMs / 1000))
  const rounds = Math.ceil(heard / places)
  return {
    number,
    name: waveName(waves, number),
    members: here.length,
    skipped: here.filter(({ verdict }) => verdict === 'skipped').length,
    silent: here.filter(({ verdict, silent }) => verdict !== 'skipped' && silent).length,
    approval: waves[number - 1]?.approval === true,
    healthyPercent,
    soakSeconds,
    expectedSeconds: perDevice === null ? null : rounds * perDevice + (rounds > 0 ? (spec.startWindowSeconds ?? 0) + measuring : 0),
  }
}

/** Images are fetched before the switch, so that only stop and start count. */
function downtimeOf(parts: readonly ReleaseTemplates[], startSeconds: number | null): RolloutPlan['totals']['downtimeSeconds'] {
  if (startSeconds === null) return null
  const grace = Math.max(...parts.map(({ previous }) => previous.spec.terminationGracePeriodSeconds ?? 30))
  return { from: startSeconds, to: startSeconds + grace }
}

function notCounted(spec: RolloutSpec, known: readonly PlannedDevice[]): readonly string[] {
  return [
    ...(known.some(({ pulls, pullSeconds }) => pulls.length > 0 && pullSeconds === null) ? ['downloads'] : []),
    ...(known.some(({ pullSeconds }) => (pullSeconds ?? 0) > 0) ? ['links that are slower than bandwidth'] : []),
    ...(spec.window === undefined ? [] : [`waiting for the window ${spec.window.updateWindow}`]),
    ...((spec.waves ?? []).some(({ approval }) => approval === true) ? ['waiting for approval'] : []),
    ...(known.some(({ silent }) => silent) ? ['devices that are silent now'] : []),
  ]
}
