/** Reads the scheduler's configuration file and the plugins it names. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isRecord } from '../protocol/shape.ts'
import type { Profile } from './core/scheduler/framework.ts'
import { profilesOf } from './core/scheduler/profile-config.ts'
import type { PluginEntry } from './core/scheduler/plugin-table.ts'

/**
 * Profiles as the file says (JSON, a SchedulerConfiguration). Each of its `pluginFiles`, relative to it, is a module that exports
 * `plugin`: name, weight and create(args), as in core/scheduler/plugin-table.ts. Throws with everything that is wrong.
 */
export async function readProfiles(file: string): Promise<readonly Profile[]> {
  let config: unknown
  try {
    config = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new Error(`--scheduler-config ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const named = isRecord(config) && Array.isArray(config['pluginFiles']) ? config['pluginFiles'] : []
  const own = await Promise.all(named.map((name) => loadPlugin(path.resolve(path.dirname(file), String(name)))))
  const made = profilesOf(config, own)
  if (!made.ok) throw new Error(`--scheduler-config ${file}: ${made.faults.join('; ')}`)
  return made.profiles
}

async function loadPlugin(file: string): Promise<PluginEntry> {
  const loaded: unknown = await import(pathToFileURL(file).href)
  const plugin = isRecord(loaded) ? loaded['plugin'] : undefined
  if (!isRecord(plugin) || typeof plugin['name'] !== 'string' || typeof plugin['create'] !== 'function')
    throw new Error(`${file} must export plugin: { name, weight, create(args) }`)
  return { weight: 1, ...plugin } as unknown as PluginEntry
}
