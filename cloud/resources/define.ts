/** How a kind is put together: what is the same for all kinds is added here once. */
import type { Issue } from '../../protocol/shape.ts'
import { dropNulls } from './drop-nulls.ts'
import { ageOf } from './human-duration.ts'
import { metadataIssues } from './metadata-rules.ts'
import type { NameRule } from './metadata-rules.ts'
import type { Column, KubeObject, ResourceDefinition } from './object.ts'

type Common = 'singular' | 'categories' | 'hasStatus' | 'hasScale' | 'generationFields' | 'selectableFields' | 'defaults' | 'validate'

/** The facts of one kind; what most kinds share may be left out. */
export interface KindFacts<O extends KubeObject>
  extends Omit<ResourceDefinition<O>, Common>, Partial<Pick<ResourceDefinition<O>, Exclude<Common, 'singular' | 'validate'>>> {
  readonly nameRule: NameRule
  /** rules beyond shape and metadata; `old` is null on create */
  rules?(object: O, old: O | null): readonly Issue[]
}

/** A complete definition: null fields dropped before `defaults`, metadata rules before the kind's own. */
export function defineResource<O extends KubeObject>(facts: KindFacts<O>): ResourceDefinition<O> {
  const { nameRule, rules, defaults, ...rest } = facts
  return {
    categories: [],
    hasStatus: false,
    hasScale: false,
    generationFields: [],
    selectableFields: {},
    ...rest,
    singular: facts.kind.toLowerCase(),
    defaults: (object) => {
      const clean = dropNulls(facts.shape, object)
      return defaults === undefined ? clean : defaults(clean)
    },
    validate: (object, old) => [...metadataIssues(object, old, nameRule, facts.namespaced), ...(rules?.(object, old) ?? [])],
  }
}

/** A column; `wide` ones show only with `-o wide`. */
export function column(name: string, type: Column['type'], description: string, rule: { wide?: boolean; format?: string } = {}): Column {
  return { name, type, priority: rule.wide === true ? 1 : 0, description, format: rule.format ?? '' }
}

export const NAME_COLUMN: Column = column('Name', 'string', 'Name of the object, unique within its namespace.', { format: 'name' })
export const AGE_COLUMN: Column = column('Age', 'string', 'Time since the object was created.')

/** The Age cell. */
export function ageCell(object: KubeObject, nowMs: number): string {
  return ageOf(object.metadata.creationTimestamp, nowMs)
}

/** The Name cell. */
export function nameCell(object: KubeObject): string {
  return object.metadata.name ?? ''
}
