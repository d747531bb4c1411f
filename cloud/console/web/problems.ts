/** What is wrong, by cause: one entry a cause, with its members, the widest first. */
import type { CauseView, DeviceRow, PodRow, Tone } from '../view-model.ts'

export interface Problem {
  readonly key: string
  readonly cause: CauseView
  readonly tone: Tone
  readonly members: readonly { readonly label: string; readonly href: string }[]
}

/** Silent devices come as one problem; their pods are not counted again. */
export function problemsOf(devices: readonly DeviceRow[], pods: readonly PodRow[]): readonly Problem[] {
  const found = new Map<string, { cause: CauseView; tone: Tone; members: { label: string; href: string }[] }>()
  const add = (key: string, cause: CauseView, tone: Tone, label: string, href: string): void => {
    const entry = found.get(key) ?? { cause, tone, members: [] }
    entry.members.push({ label, href })
    found.set(key, entry)
  }
  for (const row of devices) {
    const href = `/console/devices/${row.name}`
    if (row.word === 'offline') add('offline', SILENT, 'bad', row.name, href)
    else if (row.word === 'never-seen') add('never-seen', NEVER, 'unknown', row.name, href)
    else for (const cause of row.causes) add(`${cause.code}|${cause.says}`, cause, 'warn', row.name, href)
  }
  for (const row of pods) {
    if (row.tone !== 'bad') continue
    const cause = row.cause ?? { code: '', says: `The pod is ${row.word}.`, next: '' }
    add(`${cause.code}|${cause.says}`, cause, 'bad', `${row.namespace}/${row.name}`, `/console/workloads/${row.workload}`)
  }
  const weight: Readonly<Record<string, number>> = { bad: 0, warn: 1, unknown: 2 }
  return [...found]
    .map(([key, entry]) => ({ key, ...entry }))
    .sort((a, b) => (weight[a.tone] ?? 3) - (weight[b.tone] ?? 3) || b.members.length - a.members.length || (a.key < b.key ? -1 : 1))
}

const SILENT: CauseView = {
  code: 'node.silent',
  says: 'Not heard for a while; what runs there is left as it is.',
  next: 'Check power and network of the device.',
}
const NEVER: CauseView = { code: 'node.never-seen', says: 'Known by name, but has never reported.', next: 'Start its agent with the join file.' }
