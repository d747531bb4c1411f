/** Why a placed pod does not run: from there on its device's own word counts, and a silent device has none. */
import { causeAdvice, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { PodReport } from '../../protocol/status-report.ts'
import type { WhyAnswer } from './scheduler/why.ts'

/** @param told what the device reported of the pod last @param silent why the device is not heard; null = it is */
export function whyPlaced(answer: WhyAnswer, told: PodReport | null, silent: Cause | null): WhyAnswer {
  if (!answer.placed || answer.nodes.length > 0) return answer
  return { ...answer, sentence: sentenceOf(answer.device ?? '', told, silent) }
}

function sentenceOf(device: string, told: PodReport | null, silent: Cause | null): string {
  if (silent !== null) return `Nothing is known of it now: ${sentence(silent)}. It goes on by itself when ${device} is heard again.`
  if (told === null) return `${device} has not reported it yet.`
  if (told.cause !== undefined) return `${sentence(told.cause)}. ${causeAdvice(told.cause.code).next}`
  if (told.ready) return 'It runs and is ready.'
  return told.removing === true ? 'It is being removed.' : `It is ${told.phase.toLowerCase()} and not ready yet.`
}

/** Some sentences of the table end with a full stop, some do not. */
function sentence(cause: { readonly code: string; readonly facts?: Readonly<Record<string, string>> }): string {
  return causeSentence(cause).replace(/\.$/, '')
}
