/** `skerry topology NODE`: the picture of the console as a table, node > CPUs > workload > PIDs. */
import { isRecord } from '../../protocol/shape.ts'
import { soundFacts } from '../../protocol/topology-facts.ts'
import { topologyTwin } from '../../protocol/topology-twin.ts'
import type { TwinRow } from '../../protocol/topology-twin.ts'
import { call, refuse } from './connection.ts'
import type { Connection } from './connection.ts'

/** `json` prints the API's own answer. */
export async function topology(connection: Connection, device: string, json: boolean): Promise<number> {
  const answer = await call(connection, 'GET', `/skerry/v1/topology/${encodeURIComponent(device)}`)
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  if (json) process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`)
  else process.stdout.write(topologyText(device, answer.body['facts']))
  return 0
}

/** Everything that is there and that would come: a terminal has no switch between them. */
export function topologyText(device: string, facts: unknown): string {
  const rows = topologyTwin(soundFacts(facts), 'diff')
  if (rows.length === 0) return `${device} has not told how it is laid out\n`
  const wide = Math.max(4, ...rows.map(({ cpus }) => cpus.length))
  const workloads = Math.max(8, ...rows.map(({ workload, pids }) => (pids === '' ? 0 : workload.length)))
  const line = ({ about, node, cpus, workload, pids }: TwinRow): string => {
    const head = about === '' ? '' : `node ${node}: ${about}\n`
    return `${head}  ${node.padEnd(6)}${cpus.padEnd(wide)}  ${pids === '' ? workload : `${workload.padEnd(workloads)}  ${pids}`}\n`
  }
  return `  ${'NODE'.padEnd(6)}${'CPUS'.padEnd(wide)}  ${'WORKLOAD'.padEnd(workloads)}  PIDS\n${rows.map(line).join('')}`
}
