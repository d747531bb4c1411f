/** One answer to "why is this pod (not) there?", for the command, the API and the console alike. */
import { causeSentence } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import type { Pod } from '../../resources/pod.ts'
import { explain } from './explain.ts'
import type { FunnelStep, Refusal } from './explain.ts'
import type { Profile } from './framework.ts'
import { podInfo } from './pod-info.ts'
import { whatIf } from './what-if.ts'
import type { Suggestion } from './what-if.ts'
import type { World } from './world.ts'

export interface WhyNode {
  readonly node: string
  /** where the numbers come from and how old they are */
  readonly source: string
  readonly causes: readonly Cause[]
  /** the rule that says each cause */
  readonly rules: readonly string[]
}

export interface WhyAnswer {
  readonly placed: boolean
  readonly device: string | null
  readonly sentence: string
  readonly funnel: readonly FunnelStep[]
  /** every rule that was looked at, in order; each was looked at on each device */
  readonly rules: readonly string[]
  readonly nodes: readonly WhyNode[]
  /** changes that were tried and would do, smallest first */
  readonly suggestions: readonly Suggestion[]
}

export interface WhyQuestion {
  readonly profile: Profile
  readonly world: World
  readonly pod: Pod
  /** what keeps any rule from looking at it */
  readonly held: { readonly sentence: string } | null
  readonly nowMs: number
  /** only this device, or null for all */
  readonly node: string | null
}

export function answerWhy(question: WhyQuestion): WhyAnswer {
  const { profile, world, pod, held, node } = question
  const placedOn = pod.spec.nodeName ?? null
  if (placedOn !== null && (node === null || node === placedOn))
    return answer(placedOn, 'The device decides from here; kubectl describe shows what it says.')
  if (held !== null) return answer(placedOn, held.sentence)
  if (node !== null && world.get(node) === undefined) return answer(placedOn, `There is no device ${node}.`)
  const { nodeName: _, ...spec } = pod.spec
  const info = podInfo({ ...pod, spec })
  const refusal = explain(profile, info, world)
  const told = refusal.nodes.filter((one) => node === null || one.node === node)
  const fits = told.filter((one) => one.reasons.length === 0)
  return {
    ...answer(placedOn, fits.length > 0 ? fitting(fits.map((one) => one.node)) : sentenceFor(refusal, told, node)),
    funnel: refusal.funnel,
    rules: [...profile.filters, ...(profile.worldFilters ?? [])].map((rule) => rule.name),
    nodes: told.map((one) => ({
      node: one.node,
      source: sourceOf(world.get(one.node)?.heardAt ?? '', question.nowMs),
      causes: one.reasons.map((reason) => reason.cause),
      rules: one.reasons.map((reason) => reason.plugin),
    })),
    suggestions: fits.length > 0 ? [] : whatIf(profile, info, world, refusal, node),
  }
}

function answer(device: string | null, sentence: string): WhyAnswer {
  return { placed: device !== null, device, sentence, funnel: [], rules: [], nodes: [], suggestions: [] }
}

function fitting(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return `Nothing stands against ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ''}.`
}

function sentenceFor(refusal: Refusal, told: Refusal['nodes'], node: string | null): string {
  if (node === null) return refusal.sentence
  const reasons = told.flatMap((one) => one.reasons.map((reason) => causeSentence(reason.cause)))
  return `${node} cannot take this pod: ${reasons.join('; ')}.`
}

/** `reported by the device 12 s ago`. */
function sourceOf(heardAt: string, nowMs: number): string {
  const at = Date.parse(heardAt)
  if (Number.isNaN(at)) return 'never reported by the device'
  return `reported by the device ${ageText(Math.max(0, nowMs - at))} ago`
}

function ageText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
