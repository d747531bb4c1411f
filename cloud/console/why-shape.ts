/** The answer to "why is this not running here?", as the page reads it. */
import type { CauseView, DeviceRow, PodRow } from './view-model.ts'

export interface WhyView {
  readonly pod: PodRow | null
  /** the device the question is about, when it is about one */
  readonly on: DeviceRow | null
  readonly says: string
  readonly next: string
  readonly devices: number
  /** devices left after each rule that stops any; `here` = the device in question falls out at this one */
  readonly funnel: readonly { readonly rule: string; readonly says: string; readonly left: number; readonly here: boolean }[]
  /** every rule on the device in question */
  readonly checklist: readonly { readonly rule: string; readonly says: string; readonly causes: readonly CauseView[] }[]
  /** where the numbers of the device in question come from */
  readonly source: string
  /** the devices that are nearest to fitting */
  readonly nearest: readonly { readonly device: string; readonly source: string; readonly causes: readonly CauseView[] }[]
  readonly changes: readonly { readonly device: string; readonly changes: readonly string[] }[]
  /** the same question to the command */
  readonly command: string
}
