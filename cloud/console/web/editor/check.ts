/** Asks the cloud what a text would do, without doing it; and does it. */
import type { ApiKind } from '../../live-protocol.ts'
import { write } from '../api-write.ts'
import type { Written } from '../api-write.ts'
import { ask, call } from '../session.ts'
import { diffLines } from './diff.ts'
import type { DiffLine } from './diff.ts'
import { manifestText, readManifests } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import type { PlanShown } from './plan-shape.ts'

export interface Outcome {
  readonly label: string
  readonly what: 'create' | 'change' | 'nothing' | 'refused'
  readonly says: string
  readonly diff: readonly DiffLine[]
  readonly faults: readonly { readonly line: number; readonly field: string; readonly message: string }[]
  readonly manifest: Manifest | null
  /** of a new Rollout, when the cloud could make one */
  readonly plan: PlanShown | null
}

/** What is edited: the object as it was opened. null = new text, merged into what exists. */
export type Opened = { readonly resourceVersion: string } | null

let kinds: readonly ApiKind[] | null = null

async function knownKinds(): Promise<readonly ApiKind[]> {
  kinds ??= (await (await ask('kinds')).json()) as readonly ApiKind[]
  return kinds
}

export async function pathOf(kind: string, namespace: string, name: string): Promise<string | null> {
  const known = (await knownKinds()).find((one) => one.kind === kind)
  if (known === undefined) return null
  const space = known.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${known.prefix}${space}/${known.plural}/${encodeURIComponent(name)}`
}

export async function fetchObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const response = await call(path)
  if (response.status === 404) return null
  if (!response.ok) throw new Error(`the cloud answered ${response.status}`)
  return (await response.json()) as Readonly<Record<string, unknown>>
}

/** Every object of the text, validated by the cloud itself and compared with what it has now. */
export async function checkText(text: string, opened: Opened): Promise<readonly Outcome[]> {
  const read = readManifests(text, await knownKinds())
  if (!read.ok)
    return [
      {
        label: `line ${read.line}`,
        what: 'refused',
        says: read.why,
        diff: [],
        faults: [{ line: read.line, field: '', message: read.why }],
        manifest: null,
        plan: null,
      },
    ]
  const outcomes: Outcome[] = []
  for (const manifest of read.manifests) outcomes.push(await checkOne(manifest, opened))
  return outcomes
}

async function checkOne(manifest: Manifest, opened: Opened): Promise<Outcome> {
  const before = await fetchObject(manifest.path)
  const written = await put(manifest, before !== null, opened, 'dryRun=All&')
  const { label } = manifest
  if (!written.ok) {
    const faults = written.faults.map((fault) => ({ ...fault, line: manifest.lineOf(fault.field) }))
    return { label, what: 'refused', says: conflictSays(written), diff: [], faults, manifest, plan: null }
  }
  const diff = diffLines(manifestText(before), manifestText(written.object))
  if (before === null) {
    const plan = manifest.object['kind'] === 'Rollout' ? await planOf(manifest) : null
    if (typeof plan === 'string') return { label, what: 'refused', says: plan, diff, faults: [], manifest, plan: null }
    return { label, what: 'create', says: 'will be created', diff, faults: [], manifest, plan }
  }
  return diff.length === 0
    ? { label, what: 'nothing', says: 'is as it is wanted already', diff, faults: [], manifest, plan: null }
    : { label, what: 'change', says: 'will be changed', diff, faults: [], manifest, plan: null }
}

/** A sentence when the rollout could not start like this; null when this cloud makes no plans. */
async function planOf(manifest: Manifest): Promise<PlanShown | string | null> {
  const metadata = manifest.object['metadata'] as { readonly namespace?: string } | undefined
  const written = await write('POST', `/skerry/v1/plans/${encodeURIComponent(metadata?.namespace ?? 'default')}`, manifest.object)
  if (written.ok) return written.object as unknown as PlanShown
  return written.status === 404 ? null : written.message
}

/** The object with the plan that was shown: it starts with exactly those members. */
function planned(manifest: Manifest, plan: PlanShown | null): Manifest {
  if (plan === null) return manifest
  return { ...manifest, object: { ...manifest.object, spec: { ...(manifest.object['spec'] as object), planId: plan.planId } } }
}

/** Does it. */
export async function applyOne(manifest: Manifest, { what, plan }: Outcome, opened: Opened): Promise<string | null> {
  const written = await put(planned(manifest, plan), what === 'change', opened, '')
  return written.ok ? null : conflictSays(written)
}

function put({ object, path, collection }: Manifest, exists: boolean, opened: Opened, dryRun: string): Promise<Written> {
  if (!exists) return write('POST', `${collection}?${dryRun}fieldValidation=Strict`, object)
  if (opened === null) return write('PATCH', `${path}?${dryRun}fieldValidation=Strict`, object, 'application/merge-patch+json')
  const metadata = { ...(object['metadata'] as Readonly<Record<string, unknown>>), resourceVersion: opened.resourceVersion }
  return write('PUT', `${path}?${dryRun}fieldValidation=Strict`, { ...object, metadata })
}

function conflictSays(written: Extract<Written, { ok: false }>): string {
  return written.status === 409 ? 'Somebody else changed it since you opened it. Load it again and make your change once more.' : written.message
}
