/** What can be asked of each list, sorted by and counted: one table for the query language, the orders and the facets. */
import { compareVersions } from './query.ts'
import type { Field, Fields } from './query.ts'
import type { AuditRow, DeviceRow, EventRow, PodRow, RolloutRow, TableName, Tables, WorkloadRow } from './view-model.ts'
import { DEVICE_TONES, POD_TONES, STANDING_ORDER, severity, standingByte } from './vocabulary.ts'

export interface RowKind<R> {
  key(row: R): string
  readonly fields: Fields<R>
  /** negative = a goes first; ties are broken by key. The first order is the usual one */
  readonly orders: Readonly<Record<string, (a: R, b: R) => number>>
  /** fields that are counted beside the list */
  readonly facets: readonly string[]
}

const word = <R>(get: Field<R>['get'], values?: readonly string[]): Field<R> => ({ kind: 'word', get, ...(values === undefined ? {} : { values }) })
const number = <R>(get: (row: R) => number | null): Field<R> => ({ kind: 'number', get })
const path = <R>(get: Field<R>['get']): Field<R> => ({ kind: 'path', get })
const text = <R>(get: Field<R>['get']): Field<R> => ({ kind: 'text', get })
const version = <R>(get: Field<R>['get']): Field<R> => ({ kind: 'version', get })

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Text that is searched is made once a row. */
function remembered<R extends object>(make: (row: R) => string): (row: R) => string {
  const made = new WeakMap<R, string>()
  return (row) => {
    const known = made.get(row)
    if (known !== undefined) return known
    const fresh = make(row).toLowerCase()
    made.set(row, fresh)
    return fresh
  }
}

/** @param nowMs for ages */
export function rowKinds(nowMs: () => number): { readonly [T in TableName]: RowKind<Tables[T]> } {
  const age = <R>(get: (row: R) => number | null): Field<R> => ({
    kind: 'age',
    get: (row) => {
      const at = get(row)
      return at === null ? null : nowMs() - at
    },
  })
  return { devices: devices(age), workloads: workloads(age), pods: pods(age), events: events(age), rollouts: rollouts(age), audit: audit(age) }
}

type Age = <R>(get: (row: R) => number | null) => Field<R>

function devices(age: Age): RowKind<DeviceRow> {
  const trouble = (a: DeviceRow, b: DeviceRow): number => standingByte(a.standing) - standingByte(b.standing)
  return {
    key: (row) => row.name,
    fields: {
      named: {
        state: word((row) => [row.standing, row.word], [...new Set([...STANDING_ORDER, ...Object.keys(DEVICE_TONES)])]),
        name: word((row) => row.name),
        cause: path((row) => [...row.causes, ...row.podCauses].map((cause) => cause.code)),
        heard: age((row) => row.heardAtMs),
        agent: version((row) => row.agent),
        arch: word((row) => row.arch),
        os: text((row) => row.os),
        kernel: version((row) => row.kernel),
        engine: text((row) => row.engine),
        address: text((row) => row.address),
        cordoned: word((row) => String(row.cordoned), ['true', 'false']),
        pods: number((row) => row.asked.pods),
        troubled: number((row) => row.troubled),
      },
      text: remembered((row) => `${row.name} ${row.address} ${Object.values(row.labels).join(' ')}`),
      labels: (row) => row.labels,
    },
    orders: {
      trouble,
      name: (a, b) => byText(a.name, b.name),
      heard: (a, b) => (a.heardAtMs ?? 0) - (b.heardAtMs ?? 0),
      agent: (a, b) => compareVersions(a.agent, b.agent),
      pods: (a, b) => b.asked.pods - a.asked.pods,
      system: (a, b) => byText(a.os, b.os),
    },
    facets: ['state', 'agent', 'arch', 'os'],
  }
}

function workloads(age: Age): RowKind<WorkloadRow> {
  return {
    key: (row) => row.key,
    fields: {
      named: {
        state: word((row) => row.word, ['trouble', 'unknown', 'changing', 'fine']),
        kind: word((row) => row.kind),
        name: word((row) => row.name),
        namespace: word((row) => row.namespace),
        image: text((row) => row.image),
        ready: number((row) => row.ready),
        desired: number((row) => row.desired),
        age: age((row) => row.createdAtMs),
      },
      text: remembered((row) => `${row.namespace}/${row.name} ${row.image}`),
    },
    orders: {
      trouble: (a, b) => severity(a.tone) - severity(b.tone),
      name: (a, b) => byText(a.name, b.name),
      age: (a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0),
      kind: (a, b) => byText(a.kind, b.kind),
    },
    facets: ['state', 'kind', 'namespace'],
  }
}

function pods(age: Age): RowKind<PodRow> {
  return {
    key: (row) => row.key,
    fields: {
      named: {
        state: word((row) => row.word, Object.keys(POD_TONES)),
        name: word((row) => row.name),
        namespace: word((row) => row.namespace),
        workload: word((row) => row.workload.split('/').slice(1).join('/')),
        kind: word((row) => row.workload.split('/')[0] ?? ''),
        device: word((row) => row.device),
        image: text((row) => row.image),
        cause: path((row) => row.cause?.code ?? null),
        restarts: number((row) => row.restarts),
        age: age((row) => row.createdAtMs),
      },
      text: remembered((row) => `${row.namespace}/${row.name} ${row.device ?? ''} ${row.image}`),
    },
    orders: {
      trouble: (a, b) => severity(a.tone) - severity(b.tone),
      name: (a, b) => byText(a.name, b.name),
      device: (a, b) => byText(a.device ?? '', b.device ?? ''),
      restarts: (a, b) => b.restarts - a.restarts,
      age: (a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0),
    },
    facets: ['state', 'namespace'],
  }
}

function events(age: Age): RowKind<EventRow> {
  return {
    key: (row) => row.key,
    fields: {
      named: {
        type: word((row) => (row.warning ? 'warning' : 'normal'), ['warning', 'normal']),
        reason: word((row) => row.reason),
        kind: word((row) => row.about.split(' ')[0] ?? ''),
        about: word((row) => row.about.split(' ')[1] ?? ''),
        by: word((row) => row.by),
        last: age((row) => row.atMs),
      },
      text: remembered((row) => `${row.about} ${row.reason} ${row.message}`),
    },
    orders: { newest: (a, b) => b.atMs - a.atMs, oldest: (a, b) => a.atMs - b.atMs, reason: (a, b) => byText(a.reason, b.reason) },
    facets: ['type', 'reason'],
  }
}

function rollouts(age: Age): RowKind<RolloutRow> {
  return {
    key: (row) => row.key,
    fields: {
      named: {
        state: word((row) => row.word),
        name: word((row) => row.name),
        namespace: word((row) => row.namespace),
        failed: number((row) => (row.counts['failed'] ?? 0) + (row.counts['rolledBackByDevice'] ?? 0)),
        devices: number((row) => row.counts.members),
        age: age((row) => row.createdAtMs),
      },
      text: remembered((row) => `${row.namespace}/${row.name} ${row.summary.join(' ')}`),
    },
    orders: {
      newest: (a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0),
      trouble: (a, b) => severity(a.tone) - severity(b.tone) || (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0),
      name: (a, b) => byText(a.name, b.name),
    },
    facets: ['state', 'namespace'],
  }
}

function audit(age: Age): RowKind<AuditRow> {
  return {
    key: (row) => row.key,
    fields: {
      named: {
        who: word((row) => row.who),
        verb: word((row) => row.verb),
        kind: word((row) => row.about.split(' ')[0] ?? ''),
        about: text((row) => row.about),
        done: word((row) => String(row.status < 400), ['true', 'false']),
        last: age((row) => row.atMs),
      },
      text: remembered((row) => `${row.who} ${row.verb} ${row.about} ${row.reason}`),
    },
    orders: { newest: (a, b) => b.atMs - a.atMs, oldest: (a, b) => a.atMs - b.atMs },
    facets: ['who', 'verb', 'kind'],
  }
}
