/** The scheduler's configuration: profiles as Kubernetes writes them, made into tables. */
import { anything, bool, check, int, list, obj, oneOf, required, str } from '../../../protocol/shape.ts'
import type { Infer } from '../../../protocol/shape.ts'
import type { Profile, Weighted } from './framework.ts'
import { PLUGIN_TABLE } from './plugin-table.ts'
import type { PluginEntry, PluginParts } from './plugin-table.ts'

const PLUGIN_NAME = str({ min: 1, max: 253 })

const PROFILE_CONFIG = obj({
  schedulerName: required(str({ min: 1, max: 253 })),
  percentageOfNodesToScore: int(1, 100),
  preemption: bool(),
  plugins: obj({
    /** added to the usual ones, or with a weight of their own; `*` in disabled takes all usual ones away */
    enabled: list(obj({ name: required(PLUGIN_NAME), weight: int(0, 10_000) }), { max: 64 }),
    disabled: list(obj({ name: required(PLUGIN_NAME) }), { max: 64 }),
  }),
  pluginConfig: list(obj({ name: required(PLUGIN_NAME), args: anything() }), { max: 64 }),
})

export const SCHEDULER_CONFIG = obj({
  apiVersion: oneOf('skerry.dev/v1'),
  kind: oneOf('SchedulerConfiguration'),
  /** files with plugins of your own: each exports `plugin`, an entry as in the plugin table */
  pluginFiles: list(str({ min: 1, max: 4096 }), { max: 16 }),
  profiles: list(PROFILE_CONFIG, { max: 16 }),
})
export type SchedulerConfig = Infer<typeof SCHEDULER_CONFIG>
type ProfileConfig = Infer<typeof PROFILE_CONFIG>

export type ProfilesResult = { readonly ok: true; readonly profiles: readonly Profile[] } | { readonly ok: false; readonly faults: readonly string[] }

/** All profiles, the default one among them. `own` are plugins from outside. Every fault is told. */
export function profilesOf(config: unknown, own: readonly PluginEntry[] = []): ProfilesResult {
  const issues = check(SCHEDULER_CONFIG, config)
  if (issues.length > 0) return { ok: false, faults: issues.map(({ path, message }) => `${path}: ${message}`) }
  const given = (config as SchedulerConfig).profiles ?? []
  const named = given.some(({ schedulerName }) => schedulerName === DEFAULT_SCHEDULER) ? given : [{ schedulerName: DEFAULT_SCHEDULER }, ...given]
  const faults: string[] = []
  const profiles = named.map((one) => profileOf(one, [...PLUGIN_TABLE, ...own], faults))
  const names = named.map(({ schedulerName }) => schedulerName)
  if (new Set(names).size < names.length) faults.push('profiles: two profiles have the same schedulerName')
  return faults.length > 0 ? { ok: false, faults } : { ok: true, profiles }
}

export const DEFAULT_SCHEDULER = 'default-scheduler'

function profileOf(config: ProfileConfig, table: readonly PluginEntry[], faults: string[]): Profile {
  const at = `profile ${config.schedulerName}`
  const { enabled = [], disabled = [] } = config.plugins ?? {}
  for (const { name } of [...enabled, ...disabled.filter((one) => one.name !== '*'), ...(config.pluginConfig ?? [])]) {
    if (!table.some((entry) => entry.name === name))
      faults.push(`${at}: there is no plugin ${name}; there are ${table.map((entry) => entry.name).join(', ')}`)
  }
  const isOff = (name: string): boolean => disabled.some((one) => one.name === name || one.name === '*')
  const chosen = table.filter((entry) => enabled.some(({ name }) => name === entry.name) || (PLUGIN_TABLE.includes(entry) && !isOff(entry.name)))
  const made = chosen.map((entry) => {
    const result = entry.create(config.pluginConfig?.find(({ name }) => name === entry.name)?.args)
    if (!result.ok) faults.push(...result.issues.map(({ path, message }) => `${at}: ${entry.name} args.${path}: ${message}`))
    return { parts: result.ok ? result.parts : {}, weight: enabled.find(({ name }) => name === entry.name)?.weight ?? entry.weight }
  })
  return {
    name: config.schedulerName,
    preemption: config.preemption ?? true,
    percentageOfNodesToScore: config.percentageOfNodesToScore ?? 100,
    filters: made.flatMap(({ parts }) => parts.filter ?? []),
    worldFilters: made.flatMap(({ parts }) => parts.worldFilter ?? []),
    scores: weighted(made, (parts) => parts.score),
    worldScores: weighted(made, (parts) => parts.worldScore),
    reserves: made.flatMap(({ parts }) => parts.reserve ?? []),
    permits: made.flatMap(({ parts }) => parts.permit ?? []),
  }
}

/** A weight of 0 turns a score off and leaves its filter. */
function weighted<P>(made: readonly Made[], part: (parts: PluginParts) => P | undefined): readonly Weighted<P>[] {
  return made.flatMap(({ parts, weight }) => {
    const plugin = part(parts)
    return plugin === undefined || weight === 0 ? [] : [{ plugin, weight }]
  })
}

interface Made {
  readonly parts: PluginParts
  readonly weight: number
}
