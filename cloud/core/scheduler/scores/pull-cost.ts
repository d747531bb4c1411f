import { lookUp } from '../../../../protocol/look-up.ts'
import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, Sums, WorldScorePlugin, WorldView } from '../framework.ts'
import { labelOf } from '../node-affinity.ts'
import { anyImages } from './image-locality.ts'

export const NETWORK_CLASS_LABEL = 'skerry.dev/network-class'

const MEBIBYTE = 1024 * 1024
/** Assumed of an image that no device holds yet. */
const USUAL_IMAGE = 200 * MEBIBYTE
/** Bytes a second that a site's link of this class gives one device, roughly: only their order matters. */
const RATES: Readonly<Record<string, number>> = { ethernet: 12 * MEBIBYTE, wifi: 4 * MEBIBYTE, cellular: MEBIBYTE, other: 2 * MEBIBYTE }

/** Prefers nodes that need not fetch the images over a slow or paid link. */
export const pullCost: WorldScorePlugin = {
  name: 'PullCost',
  applies: (_, world) => networkClasses(world).domains > 1 || anyImages(world),
  preScore(pod, world, feasible) {
    const classes = networkClasses(world)
    const sizes = pod.images.map((image) => {
      const held = world.tally(`bytes ${image}`, (node) => (node.images.has(image) ? { domain: String(node.images.get(image)), amount: 1 } : null))
      return { image, known: held.domains > 0, bytes: held.domains > 0 ? held.largestDomain() : USUAL_IMAGE }
    })
    if (classes.domains <= 1 && sizes.every(({ known }) => !known)) return null
    return feasible.map((node) => {
      const missing = sizes.reduce((sum, { image, bytes }) => sum + (node.images.has(image) ? 0 : bytes), 0)
      // a second costs 10 points, each doubling 10 more
      return Math.max(0, MAX_SCORE - Math.trunc(10 * Math.log2(1 + missing / rateOf(node))))
    })
  },
}

function networkClasses(world: WorldView): Sums {
  return world.tally('network class', (node) => ({ domain: labelOf(node.labels, NETWORK_CLASS_LABEL) ?? '', amount: 1 }))
}

function rateOf(node: NodeInfo): number {
  return lookUp(RATES, labelOf(node.labels, NETWORK_CLASS_LABEL) ?? 'ethernet') ?? 2 * MEBIBYTE
}
