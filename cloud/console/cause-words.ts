import { causeAdvice, causeSentence } from '../../protocol/causes.ts'
import type { WireCause } from '../../protocol/causes.ts'
import type { CauseView } from './view-model.ts'

/** A cause as the console shows it. */
export function causeView(cause: WireCause): CauseView {
  return { code: cause.code, says: capital(causeSentence(cause)), next: causeAdvice(cause.code).next }
}

/** A sentence from the API without a code: shown as it is, with nothing invented. */
export function saidOnly(sentence: string): CauseView {
  return { code: '', says: capital(sentence), next: '' }
}

/** As a sentence of its own. */
export function capital(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(first) ? first : `${first}.`
}
