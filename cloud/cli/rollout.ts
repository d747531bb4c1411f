/** `skerry rollout`: look at rollouts and steer them. Each verb is one POST that also says who and why. */
import { causeSentence } from '../../protocol/causes.ts'
import { isRecord } from '../../protocol/shape.ts'
import { parseLabelSelector } from '../core/selector.ts'
import type { LabelSelector } from '../resources/object.ts'
import { VERDICT_WORDS } from '../resources/rollout-verdict.ts'
import type { Verdict } from '../resources/rollout-verdict.ts'
import type { Rollout } from '../resources/rollout.ts'
import { call, refuse } from './connection.ts'
import type { Connection } from './connection.ts'
import { table } from './table.ts'

export interface RolloutArgs {
  readonly verb: string | undefined
  readonly name: string | undefined
  readonly namespace: string
  readonly reason?: string | undefined
  readonly wave?: string | undefined
  readonly device?: readonly string[] | undefined
  readonly selector?: string | undefined
  readonly verdict?: string | undefined
  readonly keep?: boolean | undefined
  readonly resume?: boolean | undefined
  readonly json: boolean
}

const VERBS = ['pause', 'resume', 'approve', 'promote', 'retry', 'exclude', 'abort', 'rollback']

/** A text instead of an exit code is a mistake in the command line. */
export function rollout(connection: Connection, args: RolloutArgs): Promise<number | string> {
  const { verb, name } = args
  if (verb === 'list') return list(connection, args)
  if (verb !== 'show' && verb !== 'members' && !VERBS.includes(verb ?? ''))
    return Promise.resolve(`rollout takes one of list, show, members, ${VERBS.join(', ')}`)
  if (name === undefined) return Promise.resolve(`rollout ${verb ?? ''} needs the name of a Rollout: skerry rollout list`)
  if (verb === 'show') return show(connection, args, name)
  if (verb === 'members') return members(connection, args, name)
  return act(connection, args, name)
}

function pathOf({ namespace }: RolloutArgs, rest = ''): string {
  return `/apis/skerry.dev/v1/namespaces/${encodeURIComponent(namespace)}/rollouts${rest}`
}

async function list(connection: Connection, args: RolloutArgs): Promise<number> {
  const answer = await call(connection, 'GET', pathOf(args))
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  if (args.json) return print(`${JSON.stringify(answer.body, null, 2)}\n`)
  const items = (answer.body as { readonly items: readonly Rollout[] }).items
  if (items.length === 0) return print(`no rollouts in namespace ${args.namespace}\n`)
  const rows = items.map(({ metadata, status }) => [
    metadata.name ?? '',
    status?.phase ?? 'Preparing',
    `${status?.releasedWave ?? 0}/${status?.waves?.length ?? 0}`,
    `${status?.counts?.done ?? 0}/${status?.counts?.members ?? 0}`,
    (status?.counts?.failed ?? 0) + (status?.counts?.rolledBackByDevice ?? 0),
    status?.counts?.offline ?? 0,
    status?.message ?? '',
  ])
  return print(table(['NAME', 'PHASE', 'WAVE', 'DONE', 'FAILED', 'OFFLINE', 'MESSAGE'], rows))
}

async function show(connection: Connection, args: RolloutArgs, name: string): Promise<number> {
  const answer = await call(connection, 'GET', pathOf(args, `/${encodeURIComponent(name)}`))
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  return print(args.json ? `${JSON.stringify(answer.body, null, 2)}\n` : pictureOf(answer.body as unknown as Rollout))
}

/** All of a rollout but its members, for people. */
export function pictureOf({ metadata, status }: Rollout): string {
  const head = `${metadata.name ?? ''}: ${status?.phase ?? 'Preparing'}\n${status?.message ?? ''}\n`
  const changes = Object.entries(status?.summary ?? {}).map(([set, text]) => `  ${set}  ${text}\n`)
  const waves = (status?.waves ?? []).map(({ number, name, state, counts, gate }) => [
    number,
    name,
    state,
    `${counts.done ?? 0}/${counts.members ?? 0}`,
    gate === undefined ? '' : `${gate.healthyPercent} % of ${gate.wantedPercent} %`,
    othersOf(counts),
  ])
  const metrics = (status?.waves ?? []).flatMap(({ number, gate }) =>
    (gate?.metrics ?? []).map((one) => [
      number,
      one.says,
      one.state,
      `${one.within}/${one.base}`,
      `${one.wantedPercent} %`,
      one.outside,
      one.unknown,
      one.value ?? '-',
    ]),
  )
  const failures = (status?.failures ?? []).map(({ count, sentence, examples }) => `  ${count} x ${sentence} (${examples.join(', ')})\n`)
  const log = (status?.decisions ?? []).slice(-8).map(({ at, by, action, wave, reason, cause }) => {
    const why = reason ?? (cause === undefined ? '' : causeSentence(cause))
    return [at, by, wave === undefined ? action : `${action} wave ${wave}`, why]
  })
  return [
    head,
    ...changes,
    waves.length === 0 ? '' : `\n${table(['WAVE', 'NAME', 'STATE', 'DONE', 'HEALTHY', 'OTHERS'], waves)}`,
    metrics.length === 0 ? '' : `\n${table(['WAVE', 'METRIC', 'STATE', 'WITHIN', 'WANTED', 'OUTSIDE', 'NOT KNOWN', 'VALUE'], metrics)}`,
    failures.length === 0 ? '' : `\nfailures by cause\n${failures.join('')}`,
    log.length === 0 ? '' : `\n${table(['WHEN', 'WHO', 'WHAT', 'WHY'], log)}`,
  ].join('')
}

function othersOf(counts: Readonly<Partial<Record<string, number>>>): string {
  const verdicts = Object.entries(VERDICT_WORDS) as readonly (readonly [Verdict, string])[]
  return verdicts
    .flatMap(([verdict, word]) => (verdict === 'done' || (counts[verdict] ?? 0) === 0 ? [] : [`${counts[verdict] ?? 0} ${word}`]))
    .join(', ')
}

async function members(connection: Connection, args: RolloutArgs, name: string): Promise<number> {
  const query = new URLSearchParams({
    limit: '1000',
    ...(args.wave === undefined ? {} : { wave: args.wave }),
    ...(args.verdict === undefined ? {} : { verdict: args.verdict }),
  })
  const answer = await call(connection, 'GET', pathOf(args, `/${encodeURIComponent(name)}/members?${query.toString()}`))
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  if (args.json) return print(`${JSON.stringify(answer.body, null, 2)}\n`)
  const { items, metadata } = answer.body as { readonly items: readonly MemberRow[]; readonly metadata: { readonly total: number } }
  print(
    table(
      ['DEVICE', 'WAVE', 'VERDICT', 'SINCE', 'WHY'],
      items.map((one) => [one.node, one.wave, VERDICT_WORDS[one.verdict], one.since, one.sentence ?? '']),
    ),
  )
  if (metadata.total > items.length) process.stderr.write(`${items.length} of ${metadata.total} are shown; narrow it with --wave or --verdict\n`)
  return 0
}

interface MemberRow {
  readonly node: string
  readonly wave: number
  readonly verdict: Verdict
  readonly since: string
  readonly sentence?: string
}

async function act(connection: Connection, args: RolloutArgs, name: string): Promise<number | string> {
  const { verb = '', reason, wave, device, keep, resume } = args
  if (wave !== undefined && !/^[1-9]\d{0,2}$/.test(wave)) return `--wave must be the number of a wave, is ${JSON.stringify(wave)}`
  const selector = args.selector === undefined ? null : selectorOf(args.selector)
  if (typeof selector === 'string') return selector
  const body = {
    action: verb,
    ...(reason === undefined ? {} : { reason }),
    ...(wave === undefined ? {} : { wave: Number(wave) }),
    ...(device === undefined ? {} : { names: device }),
    ...(selector === null ? {} : { selector }),
    ...(keep === undefined ? {} : { keep }),
    ...(resume === undefined ? {} : { resume }),
  }
  const answer = await call(connection, 'POST', pathOf(args, `/${encodeURIComponent(name)}/actions`), body)
  if (answer.status >= 300) return refuse(answer)
  return print(args.json ? `${JSON.stringify(answer.body, null, 2)}\n` : `rollout ${name}: ${verb} is on its way; skerry rollout show ${name}\n`)
}

const OPERATORS: Readonly<Record<string, string>> = { in: 'In', notin: 'NotIn', '!=': 'NotIn', exists: 'Exists', absent: 'DoesNotExist' }

/** `-l` as kubectl reads it. */
function selectorOf(text: string): LabelSelector | string {
  const read = parseLabelSelector(text)
  if (!read.ok) return read.why
  const matchLabels = Object.fromEntries(read.value.filter(({ operator }) => operator === '=').map(({ key, values }) => [key, values[0] ?? '']))
  const matchExpressions = read.value
    .filter(({ operator }) => operator !== '=')
    .map(({ key, operator, values }) => ({ key, operator: OPERATORS[operator] ?? 'In', ...(values.length === 0 ? {} : { values }) }))
  return { matchLabels, matchExpressions }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
