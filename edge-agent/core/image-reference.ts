/** Image references as Docker reads them: `[registry/]repository[:tag][@digest]`, with Docker Hub when no registry is named. */

export interface ImageReference {
  /** host with port, as people write it; `docker.io` for Docker Hub */
  readonly registry: string
  /** `library/` is filled in for Docker Hub's own images */
  readonly repository: string
  readonly tag: string | null
  readonly digest: string | null
}

const HUB = 'docker.io'
const HUB_NAMES: ReadonlySet<string> = new Set([HUB, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])

/** null when it is no reference. Without tag and digest the tag is `latest`. */
export function parseReference(text: string): ImageReference | null {
  const match = /^([^@]+?)(?:@(sha256:[0-9a-f]{64}))?$/.exec(text)
  const name = match?.[1]
  if (name === undefined) return null
  const digest = match?.[2] ?? null
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = isHost ? canonicalRegistry(first) : HUB
  const path = /^([a-z0-9][a-z0-9._/-]*?)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$/.exec(isHost ? name.slice(slash + 1) : name)
  const repository = path?.[1]
  if (repository === undefined) return null
  const tag = path?.[2] ?? (digest === null ? 'latest' : null)
  return { registry, repository: registry === HUB && !repository.includes('/') ? `library/${repository}` : repository, tag, digest }
}

/** Same registry, same repository: two versions of one program. */
export function repositoryOf(text: string): string {
  const reference = parseReference(text)
  return reference === null ? text : `${reference.registry}/${reference.repository}`
}

/** Names under which pull secrets know a registry, in one form: without scheme and path, Docker Hub as `docker.io`. */
export function canonicalRegistry(text: string): string {
  const host = text.replace(/^https?:\/\//, '').split('/')[0] ?? ''
  return HUB_NAMES.has(host) ? HUB : host
}

/** Where the registry's API is served. */
export function apiHostOf(registry: string): string {
  return registry === HUB ? 'registry-1.docker.io' : registry
}

/** Without a tag the engine would pull every tag of the repository. */
export function withTag(image: string): string {
  if (image.includes('@')) return image
  return image.lastIndexOf(':') > image.lastIndexOf('/') ? image : `${image}:latest`
}
