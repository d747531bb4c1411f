/** `skerry plan`: what a Rollout would do, device by device, before it does. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { isRecord } from '../../protocol/shape.ts'
import type { RolloutPlan } from '../core/rollout/plan.ts'
import { call, refuse } from './connection.ts'
import type { Connection } from './connection.ts'
import { table } from './table.ts'

const SHOWN = 20

/** Exit 7 when nobody would change. */
export async function plan(connection: Connection, file: string, namespace: string, json: boolean): Promise<number> {
  const rollout = readRollout(file)
  if (typeof rollout === 'string') {
    process.stderr.write(`skerry plan: ${rollout}\n`)
    return 2
  }
  const metadata = isRecord(rollout['metadata']) ? rollout['metadata'] : {}
  const space = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : namespace
  const answer = await call(connection, 'POST', `/skerry/v1/plans/${encodeURIComponent(space)}`, rollout)
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  const made = answer.body as unknown as RolloutPlan
  process.stdout.write(json ? `${JSON.stringify(made, null, 2)}\n` : planText(made))
  return made.totals.members > made.totals.skipped ? 0 : 7
}

function readRollout(file: string): Readonly<Record<string, unknown>> | string {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch {
    return `cannot read ${file}`
  }
  for (const document of parseAllDocuments(text)) {
    if (document.errors[0] !== undefined) return `${file}: ${document.errors[0].message}`
    const value: unknown = document.toJS({ maxAliasCount: 0 })
    if (isRecord(value) && value['kind'] === 'Rollout') return value
  }
  return `${file} holds no Rollout`
}

export function planText({ rollout, planId, releases, waves, totals, devices }: RolloutPlan): string {
  const changes = releases.flatMap(({ daemonSet, changes: list }) => [
    `DaemonSet ${daemonSet}\n`,
    ...list.map(({ path, from, to }) => `  ${path}: ${shown(from)} -> ${shown(to)}\n`),
  ])
  const rows = waves.map((wave) => [
    wave.number,
    wave.name,
    wave.members - wave.skipped,
    wave.skipped,
    wave.silent,
    `${wave.healthyPercent} % for ${wave.soakSeconds} s${wave.approval ? ', after approval' : ''}`,
    wave.expectedSeconds === null ? 'unknown' : durationText(wave.expectedSeconds),
  ])
  const refused = devices.filter(({ verdict }) => verdict === 'skipped')
  const left = totals.notCounted.length === 0 ? '' : ` (not counted: ${totals.notCounted.join(', ')})`
  const time = totals.expectedSeconds === null ? 'unknown time' : `about ${durationText(totals.expectedSeconds)}`
  return [
    `plan ${planId} for rollout ${rollout}\n\n`,
    ...changes,
    `\n${table(['WAVE', 'NAME', 'CHANGE', 'LEFT OUT', 'SILENT', 'GATE', 'EXPECTED'], rows)}`,
    `\nin all: ${totals.members - totals.skipped} devices, ${time}${left}\n`,
    `to pull: ${pullText(totals)}\n`,
    `downtime on a device: ${totals.downtimeSeconds === null ? 'unknown' : `${totals.downtimeSeconds.from} to ${totals.downtimeSeconds.to} s`}\n`,
    refused.length === 0 ? '' : `\nleft out\n`,
    ...refused.slice(0, SHOWN).map(({ node, sentence = '' }) => `  ${node}: ${sentence}\n`),
    refused.length > SHOWN ? `  and ${refused.length - SHOWN} more: -o json shows all\n` : '',
    `\nstart it with exactly these devices: put planId: ${planId} into its spec and apply it\n`,
  ].join('')
}

function pullText({ bytesToPull, devicesWithUnknownBytes }: RolloutPlan['totals']): string {
  const known = `${Math.ceil(bytesToPull / 1_000_000)} MB`
  if (devicesWithUnknownBytes === 0) return known
  return `${bytesToPull === 0 ? 'unknown' : `at least ${known}`} (no size is known for ${devicesWithUnknownBytes} devices)`
}

function shown(value: unknown): string {
  const text = value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}
