/**
 * What a tab asks to be told, and the answers, as data. A tab has one stream; it names its wishes by keys of its own, and each
 * message carries only the parts that changed.
 */
import type { RolloutPart } from './rollout-view.ts'
import type { FacetCount } from './row-view.ts'
import type { CauseView, DeviceRow, EventRow, PodRow, Standing, TableName, Tables, WorkloadRow } from './view-model.ts'

export interface ListWish {
  readonly part: 'list'
  readonly table: TableName
  readonly query: string
  /** order by name, `-` before it turns it round; '' = the usual one */
  readonly sort: string
  readonly offset: number
  readonly limit: number
  readonly facets: boolean
}

export interface FieldWish {
  readonly part: 'field'
  readonly query: string
  /** label key that groups; '' = one group */
  readonly by: string
}

export interface MapWish {
  readonly part: 'map'
  readonly query: string
  /** south, north, west, east in degrees; null = all of it */
  readonly box: readonly [number, number, number, number] | null
}

export type Wish =
  | ListWish
  | MapWish
  | FieldWish
  | { readonly part: 'summary' }
  | { readonly part: 'causes' }
  | { readonly part: 'device'; readonly name: string }
  | { readonly part: 'workload'; readonly key: string }
  | { readonly part: 'rollout'; readonly key: string }
  | { readonly part: 'inbox' }

/** A window of a list. `keys` is the window; `rows` are those the tab does not have yet in this form. */
export interface ListPart {
  readonly total: number
  readonly of: number
  readonly offset: number
  readonly keys: readonly string[]
  readonly rows: readonly Tables[TableName][]
  readonly facets: readonly FacetCount[]
  readonly issues: readonly string[]
}

export interface FieldGroup {
  /** value of the label; '' = devices without it */
  readonly label: string
  readonly count: number
  /** by standing, in the order of the vocabulary */
  readonly standings: readonly number[]
}

/** Every device one byte, in groups one after the other. Whole, or what changed since the last one. */
export type FieldPart =
  | { readonly groups: readonly FieldGroup[]; readonly bytes: string; readonly issues: readonly string[] }
  /** pairs of place and byte; `groups` only when their counts changed */
  | { readonly changes: readonly number[]; readonly groups: readonly FieldGroup[] }

/** Devices that lie close to each other on the map. */
export interface MapSpot {
  readonly lat: number
  readonly lon: number
  readonly count: number
  /** by standing, in the order of the vocabulary */
  readonly standings: readonly number[]
  /** a few of them */
  readonly names: readonly string[]
}

export interface MapPart {
  /** devices of the filter, and those of them with a place within the box */
  readonly total: number
  readonly placed: number
  /** null = none has a place */
  readonly bounds: { readonly south: number; readonly north: number; readonly west: number; readonly east: number } | null
  readonly spots: readonly MapSpot[]
  readonly issues: readonly string[]
}

export interface SummaryPart {
  readonly devices: number
  readonly standings: Readonly<Record<Standing, number>>
  readonly workloads: { readonly trouble: number; readonly unknown: number; readonly changing: number; readonly fine: number }
  readonly podsNotPlaced: number
  /** silent since less than an hour */
  readonly newlyOffline: number
  readonly waiting: number
  /** label keys that can group devices, with the number of their values */
  readonly labels: readonly { readonly key: string; readonly values: number }[]
  /** one sample each ten minutes, oldest first, at most a day */
  readonly history: {
    readonly stepMs: number
    readonly standings: Readonly<Partial<Record<Standing, readonly number[]>>>
    readonly notPlaced: readonly number[]
  }
}

export interface CauseGroup {
  readonly key: string
  readonly cause: CauseView
  readonly tone: 'bad' | 'warn' | 'unknown'
  readonly devices: number
  readonly pods: number
  /** cloud's clock; null = since before this cloud process looked */
  readonly sinceMs: number | null
  readonly samples: readonly { readonly label: string; readonly href: string }[]
  /** the list with exactly these members */
  readonly href: string
  /** null = it is told; over when its time is */
  readonly mute: MuteView | null
}

/** Somebody knows of the problem and does not want to be told of it. */
export interface MuteView {
  /** of the Mute object */
  readonly name: string
  readonly by: string
  readonly reason: string
  readonly untilMs: number
}

export interface CausesPart {
  readonly groups: readonly CauseGroup[]
  readonly more: number
}

/** One pod on a device: what is asked for, what the device has taken in, what runs. */
export interface Compared {
  readonly pod: PodRow
  readonly desired: { readonly image: string; readonly revision: string } | null
  readonly reported: { readonly revision: string; readonly phase: string } | null
  readonly running: { readonly image: string; readonly state: string; readonly restarts: number } | null
  /** names of what differs: `revision`, `image`, `state`; empty = all agree */
  readonly differs: readonly ('revision' | 'image' | 'state')[]
}

export interface OverrideView {
  readonly kind: string
  readonly about: string
  readonly owner: string
  readonly reason: string
  readonly endsAtMs: number
}

/** What the device used at one moment; null = it could not be read. */
export interface Reading {
  readonly atMs: number
  readonly cpuMilli: number | null
  readonly memory: number | null
  readonly disk: number | null
  readonly temperatureC: number | null
}

export interface DevicePart {
  readonly row: DeviceRow
  readonly compared: readonly Compared[]
  /** the document it holds, and whether its engine matches it; null = it has not reported */
  readonly holds: { readonly generation: number; readonly converged: boolean; readonly plan: readonly string[]; readonly atMs: number } | null
  readonly overrides: readonly OverrideView[]
  /** oldest first; empty until the device has answered that somebody looks */
  readonly readings: readonly Reading[]
  readonly events: readonly EventRow[]
}

export interface WorkloadPart {
  readonly row: WorkloadRow | null
  /** the worst first, at most a few hundred; the list of pods has all */
  readonly pods: readonly PodRow[]
  readonly podCount: number
  readonly events: readonly EventRow[]
}

/** Somebody has to decide. */
export interface Decision {
  readonly key: string
  readonly kind: 'approval' | 'paused' | 'override'
  readonly says: string
  readonly href: string
  readonly sinceMs: number | null
}

export interface InboxPart {
  readonly decisions: readonly Decision[]
}

/** null = there is no such thing (any more). */
export interface Parts {
  readonly list: ListPart
  readonly field: FieldPart
  readonly map: MapPart
  readonly summary: SummaryPart
  readonly causes: CausesPart
  readonly device: DevicePart | null
  readonly workload: WorkloadPart
  readonly rollout: RolloutPart | null
  readonly inbox: InboxPart
}

export type PartOf<W extends Wish> = Parts[W['part']]

/** One message on the stream: the parts that changed, by the tab's own keys. */
export interface LiveMessage {
  readonly atMs: number
  readonly parts: Readonly<Record<string, Parts[Wish['part']]>>
}

/** Where objects of a kind live in the API. */
export interface ApiKind {
  readonly apiVersion: string
  readonly kind: string
  /** `/apis/apps/v1` */
  readonly prefix: string
  readonly plural: string
  readonly namespaced: boolean
}
