/**
 * How much CPU of a device is really free when pods use less than they ask for: max(N-sigma, percentile) of what was seen,
 * opt-in per priority class, CPU only. With few pods their peaks meet, and two hours are too short to have seen each of them
 * peak, so the margin widens and never falls below what is unused over the root of their number; with little history nothing
 * is given away. Memory is never overcommitted: it cannot be taken back.
 */

import type { NodeInfo, Profile } from './framework.ts'

/** CPU that one pod used, in milli, one entry a sample (the 90th percentile of five minutes), oldest first. */
export interface PodUsage {
  readonly requestMilli: number
  readonly usedMilli: readonly number[]
}

export interface OvercommitRule {
  /** standard deviations above the mean of the sum */
  readonly sigmas: number
  /** of each pod's samples, 0 to 1 */
  readonly percentile: number
  /** samples that a pod must have before its requests are doubted: two hours */
  readonly leastSamples: number
}

export const OVERCOMMIT_RULE: OvercommitRule = { sigmas: 5, percentile: 0.99, leastSamples: 24 }

/** Pods below which peaks are likely to meet: at this many the margin is half as wide again as with very many. */
const FEW = 8

/**
 * Predicted peak of what the pods together use, in milli: never above what they ask for. Pods with too few samples count
 * with all of their request.
 */
export function predictedPeakMilli(pods: readonly PodUsage[], rule: OvercommitRule = OVERCOMMIT_RULE): number {
  const known = pods.filter((pod) => pod.usedMilli.length >= rule.leastSamples)
  const unknown = pods.filter((pod) => pod.usedMilli.length < rule.leastSamples)
  const asked = sum(pods.map((pod) => pod.requestMilli))
  if (known.length === 0) return asked
  const capped = known.map((pod) => pod.usedMilli.slice(-rule.leastSamples).map((used) => Math.min(used, pod.requestMilli)))
  const totals = Array.from({ length: rule.leastSamples }, (_, at) => sum(capped.map((samples) => samples[at] ?? 0)))
  const mean = sum(totals) / totals.length
  const deviation = Math.sqrt(sum(totals.map((total) => (total - mean) ** 2)) / totals.length)
  const bySigma = mean + rule.sigmas * deviation
  const byPercentile = sum(capped.map((samples) => percentileOf(samples, rule.percentile)))
  const unused = sum(known.map((pod) => pod.requestMilli)) - mean
  const above = Math.max((Math.max(bySigma, byPercentile) - mean) * widening(known.length), unused / Math.sqrt(known.length))
  return Math.min(asked, Math.ceil(mean + above + sum(unknown.map((pod) => pod.requestMilli))))
}

/** CPU in milli that pods of a class which opted in may ask for beyond what is free by requests. Never negative. */
export function reclaimableMilli(pods: readonly PodUsage[], rule: OvercommitRule = OVERCOMMIT_RULE): number {
  return Math.max(0, sum(pods.map((pod) => pod.requestMilli)) - predictedPeakMilli(pods, rule))
}

/** The node with what its pods leave unused. `usedMilli` has the samples of each pod by uid. */
export function withUsage(node: NodeInfo, usedMilli: ReadonlyMap<string, readonly number[]>): NodeInfo {
  const pods = [...node.pods.values()].map((pod) => ({ requestMilli: pod.requests['cpu'] ?? 0, usedMilli: usedMilli.get(pod.uid) ?? [] }))
  return { ...node, reclaimableCpu: reclaimableMilli(pods) }
}

/** Does any profile give away what pods do not use? */
export function readsUsage(profiles: readonly Profile[]): boolean {
  return profiles.some(({ filters }) => filters.some((plugin) => plugin.readsUsage === true))
}

/** Factor on the margin: 1 for very many pods, 1.5 for FEW, 5 for one. */
export function widening(pods: number): number {
  return 1 + FEW / (2 * Math.max(1, pods))
}

/** Nearest rank. */
function percentileOf(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
