/** The three kinds of PATCH, chosen by media type. Bodies were decoded and checked for depth and forbidden names at the door. */
import { isRecord } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'
import { applyJsonPatch } from '../core/patch-json.ts'
import { applyMergePatch } from '../core/patch-merge.ts'
import type { Patched } from '../core/patch-result.ts'
import { applyStrategicPatch } from '../core/patch-strategic.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Call } from './api.ts'
import { ApiError, badRequest, unsupportedMedia } from './api-error.ts'
import type { About } from './api-error.ts'

export type Patch =
  | { readonly kind: 'json'; readonly body: readonly unknown[] }
  | { readonly kind: 'merge' | 'strategic'; readonly body: Readonly<Record<string, unknown>> }

const MERGING: Readonly<Record<string, 'merge' | 'strategic'>> = {
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}

/** The patch of this call; throws 415 for other media types, 400 when the body is not that kind of patch. */
export function patchOf(call: Call): Patch {
  const { media, body } = call
  if (media === 'application/json-patch+json') {
    if (!Array.isArray(body)) throw badRequest('a JSON patch must be a list of operations')
    return { kind: 'json', body: body as readonly unknown[] }
  }
  const kind = Object.hasOwn(MERGING, media) ? MERGING[media] : undefined
  if (kind === undefined) throw unsupportedMedia(media === 'application/apply-patch+yaml' ? NO_SERVER_SIDE_APPLY : ACCEPTED)
  if (!isRecord(body)) throw badRequest(`a ${media} body must be an object`)
  return { kind, body }
}

const ACCEPTED =
  'the body of the request was in an unknown format - accepted media types include: ' +
  `application/json-patch+json, ${Object.keys(MERGING).join(', ')}`
const NO_SERVER_SIDE_APPLY = 'server-side apply is not served by this version of Skerry; use kubectl apply without --server-side'

/** The object after the patch, unchecked. Throws 422 with the place in the patch that cannot be applied. */
export function patched(about: About & { readonly shape: Shape<unknown> }, old: KubeObject, patch: Patch): unknown {
  const result = applied(about.shape, old, patch)
  if (!result.ok)
    throw new ApiError(422, 'Invalid', `the patch cannot be applied: ${result.why}`, { name: old.metadata.name ?? '', kind: about.plural })
  return result.value
}

function applied(shape: Shape<unknown>, old: KubeObject, patch: Patch): Patched {
  switch (patch.kind) {
    case 'json':
      return applyJsonPatch(old, patch.body)
    case 'merge':
      return applyMergePatch(old, patch.body)
    case 'strategic':
      return applyStrategicPatch(shape, old, patch.body)
  }
}
