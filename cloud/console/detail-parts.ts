/** The parts that tell of one thing: a device, a workload, the fleet's summary, and who has to decide. */
import { desiredPod } from '../core/desired-pod.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { TelemetrySample } from '../../protocol/telemetry.ts'
import type { Pod } from '../resources/pod.ts'
import type { DeviceFacts } from './device-row.ts'
import type { FleetTables } from './fleet-tables.ts'
import type { Compared, Decision, DevicePart, OverrideView, Reading, WorkloadPart } from './live-protocol.ts'
import type { Mirror } from './mirror.ts'
import type { EventRow, PodRow, RolloutRow } from './view-model.ts'
import { severity } from './vocabulary.ts'

const MOST_PODS = 300
const MOST_EVENTS = 40
const MOST_READINGS = 60
/** Pods of a workload whose events are told with it. */
const PODS_WITH_EVENTS = 100

export function devicePart(name: string, mirror: Mirror, facts: DeviceFacts, samples: readonly TelemetrySample[]): DevicePart | null {
  const row = mirror.tables.devices.get(name)
  if (row === undefined) return null
  const pods = mirror.podsOn(name)
  const compared = pods.flatMap((pod) => compare(pod, mirror, facts.report) ?? [])
  const about = [`Node ${name}`, ...compared.map(({ pod }) => `Pod ${pod.key}`)]
  return {
    row,
    compared: compared.sort((a, b) => byTrouble(a.pod, b.pod)),
    holds: holdsOf(facts),
    overrides: overridesOf(facts.report),
    readings: samples.slice(-MOST_READINGS).map(readingOf),
    events: eventsAbout(mirror.tables, about),
  }
}

export function workloadPart(key: string, mirror: Mirror): WorkloadPart {
  const rows = mirror.podRowsOf(key)
  const pods = rows.toSorted(byTrouble).slice(0, MOST_PODS)
  const [kind = '', ...rest] = key.split('/')
  const about = [`${kind} ${rest.join('/')}`, ...pods.slice(0, PODS_WITH_EVENTS).map((pod) => `Pod ${pod.key}`)]
  return { row: mirror.tables.workloads.get(key) ?? null, pods, podCount: rows.length, events: eventsAbout(mirror.tables, about) }
}

/** Everything that goes on only when somebody decides, or that somebody decided without the cloud. */
export function decisions(rollouts: Iterable<RolloutRow>, held: Iterable<{ readonly name: string; readonly held: number }>): readonly Decision[] {
  return [
    ...[...rollouts].flatMap((row): readonly Decision[] =>
      row.waits === null
        ? []
        : [
            {
              key: `rollout ${row.key}`,
              kind: row.waits,
              says: `${row.name}: ${row.says}`,
              href: `/console/rollouts/${row.key}`,
              sinceMs: row.sinceMs,
            },
          ],
    ),
    ...[...held].map(({ name, held }): Decision => ({
      key: `override ${name}`,
      kind: 'override',
      says: `${name}: ${held === 1 ? 'one thing is' : `${held} things are`} decided on site and not by the cloud.`,
      href: `/console/devices/${name}`,
      sinceMs: null,
    })),
  ]
}

function byTrouble(a: PodRow, b: PodRow): number {
  return severity(a.tone) - severity(b.tone) || (a.key < b.key ? -1 : 1)
}

function compare(pod: Pod, mirror: Mirror, report: StatusReport | null): Compared | null {
  const row = mirror.tables.pods.get(`${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`)
  if (row === undefined) return null
  const wanted = row.word !== 'removing'
  const desired = wanted ? { image: row.image, revision: short(desiredPod(pod).specHash) } : null
  const told = report?.pods.find((one) => one.uid === pod.metadata.uid)
  const container = told?.containers[0]
  const reported = told === undefined ? null : { revision: short(told.specHash), phase: told.removing === true ? 'Removing' : told.phase }
  const running =
    container === undefined ? null : { image: container.image, state: container.reason ?? container.state, restarts: container.restartCount }
  const differs: Compared['differs'][number][] = []
  if (desired !== null && reported !== null && desired.revision !== reported.revision) differs.push('revision')
  if (desired !== null && running !== null && desired.image !== running.image) differs.push('image')
  if (wanted !== (container?.state === 'running')) differs.push('state')
  return { pod: row, desired, reported, running, differs: row.tone === 'ok' && row.word === 'stopped' ? [] : differs }
}

function readingOf({ at, device }: TelemetrySample): Reading {
  return {
    atMs: Date.parse(at) || 0,
    cpuMilli: device?.cpuMilli ?? null,
    memory: device?.memory ?? null,
    disk: device?.disk ?? null,
    temperatureC: device?.temperatureC ?? null,
  }
}

function short(hash: string): string {
  return hash.slice(0, 8)
}

function holdsOf({ report }: DeviceFacts): DevicePart['holds'] {
  if (report === null) return null
  return { generation: report.desired?.generation ?? 0, converged: report.converged, plan: report.plan ?? [], atMs: Date.parse(report.at) || 0 }
}

function overridesOf(report: StatusReport | null): readonly OverrideView[] {
  const at = Date.parse(report?.at ?? '') || 0
  return (report?.overrides ?? []).map(({ kind, pod, owner, reason, remainingMs }) => ({
    kind,
    about: pod === undefined ? 'the whole device' : `${pod.namespace}/${pod.name}`,
    owner,
    reason,
    endsAtMs: at + remainingMs,
  }))
}

function eventsAbout(tables: FleetTables, about: readonly string[]): readonly EventRow[] {
  return about
    .flatMap((one) => tables.eventsAbout.get(one))
    .flatMap((key) => tables.events.get(key) ?? [])
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, MOST_EVENTS)
}
