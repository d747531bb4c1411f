import { topologyTwin } from '../../protocol/topology-twin.ts'
import type { TwinRow } from '../../protocol/topology-twin.ts'
import type { Now } from '../core/model.ts'
import type { AgentState } from '../core/state.ts'
import type { CauseView, FieldView } from './view-model.ts'
import { fieldView } from './view.ts'

/** The agent's state as plain text. */
export function textOf(state: AgentState, now: Now): string {
  return textView(fieldView(state, now))
}

/** The page as plain text: for `curl`, for browsers without scripts, and to paste into a message. */
export function textView(view: FieldView): string {
  const lines = [
    `${view.device}  (agent ${view.agentVersion}, ${new Date(view.atMs).toISOString()})`,
    `${view.headline.says} ${view.headline.detail}`,
    '',
    `cloud    ${view.link.says}${why(view.link.cause)}`,
    `engine   ${view.engine.says}${why(view.engine.cause)}`,
    `storage  ${view.storage.says}${why(view.storage.cause)}`,
    `clock    ${view.clock.says}${why(view.clock.cause)}`,
    `agent    ${ownText(view.own)}`,
    `desired  ${view.desired === null ? 'none' : `epoch ${view.desired.epoch}, generation ${view.desired.generation}, ${view.desired.pods} pods`}`,
    '',
    'Workloads',
    ...view.workloads.map(
      (one) => `  ${one.word.padEnd(10)} ${one.namespace}/${one.name}${one.pull === '' ? '' : `  (image: ${one.pull})`}${why(one.cause)}`,
    ),
    ...(view.workloads.length === 0 ? ['  none'] : []),
    ...(view.schedules.length === 0 ? [] : ['', 'Schedules']),
    ...view.schedules.map((one) => `  ${one.name}  ${one.schedule}  last ${stamp(one.lastMs)}, next ${stamp(one.nextMs)}${why(one.cause)}`),
    ...(view.overrides.length === 0 ? [] : ['', 'Decided here']),
    ...view.overrides.map((one) => `  ${one.kind} of ${one.target} by ${one.owner}: ${one.reason} (until ${new Date(one.endsAtMs).toISOString()})`),
    ...(view.sessions.length === 0 ? [] : ['', 'Live sessions']),
    ...view.sessions.map((one) => `  ${one.what} in ${one.namespace}/${one.pod} by ${one.who} since ${one.since}`),
    '',
    'Plan',
    ...view.plan.map((line) => `  ${line}`),
    ...(view.plan.length === 0 ? ['  nothing to do'] : []),
    '',
    'Hardware',
    ...(view.hardware?.facts ?? []).map(([label, value]) => `  ${label}: ${value}`),
    ...(view.hardware === null ? [] : topologyTwin(view.hardware.topology, 'now')).map(twinLine),
  ]
  return `${lines.join('\n')}\n`
}

function twinLine({ node, about, cpus, workload, pids }: TwinRow): string {
  const head = about === '' ? '' : `  NUMA node ${node}: ${about}\n`
  return `${head}    cpus ${cpus}: ${workload}${pids === '' ? '' : ` (PIDs ${pids})`}`
}

function stamp(ms: number | null): string {
  return ms === null ? 'none' : new Date(ms).toISOString().slice(0, 16)
}

function ownText(own: FieldView['own']): string {
  if (own === null) return 'not looked at yet'
  const written = own.writtenBytes === null ? '' : `, ${Math.round(own.writtenBytes / 1024)} KiB written in ${Math.round(own.overMs / 60_000)} min`
  return `${Math.round(own.rssBytes / 2 ** 20)} MiB memory${written}`
}

function why(cause: CauseView | null): string {
  return cause === null ? '' : `\n             ${cause.says} ${cause.next} [${cause.code}]`
}
