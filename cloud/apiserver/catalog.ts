/** The kinds that are served, looked up by path. Discovery, routing and OpenAPI all read this one table. */
import type { ResourceDefinition } from '../resources/object.ts'

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

export class Catalog {
  readonly definitions: readonly ResourceDefinition[]
  readonly #byPath: ReadonlyMap<string, ResourceDefinition>

  constructor(definitions: readonly ResourceDefinition[]) {
    this.definitions = definitions
    this.#byPath = new Map(definitions.map((definition) => [`${definition.group}/${definition.version}/${definition.plural}`, definition]))
  }

  find(group: string, version: string, plural: string): ResourceDefinition | null {
    return this.#byPath.get(`${group}/${version}/${plural}`) ?? null
  }

  /** named groups (not the core group), each with its versions, in the order of the table */
  groups(): readonly { readonly name: string; readonly versions: readonly string[] }[] {
    const versions = new Map<string, string[]>()
    for (const { group, version } of [...this.definitions, ...REVIEW_GROUPS]) {
      if (group === '') continue
      const known = versions.get(group) ?? []
      if (!known.includes(version)) known.push(version)
      versions.set(group, known)
    }
    return [...versions].map(([name, list]) => ({ name, versions: list }))
  }

  /** null when nothing is served under this group and version */
  in(group: string, version: string): readonly ResourceDefinition[] | null {
    const found = this.definitions.filter((definition) => definition.group === group && definition.version === version)
    const isReview = REVIEW_GROUPS.some((review) => review.group === group && review.version === version)
    return found.length === 0 && !isReview ? null : found
  }
}

/** Groups whose only resources are questions about the caller; they are answered, never stored. */
export const REVIEW_GROUPS: readonly GroupVersion[] = [
  { group: 'authorization.k8s.io', version: 'v1' },
  { group: 'authentication.k8s.io', version: 'v1' },
]
