import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, WorldScorePlugin, WorldView } from '../framework.ts'

const MEBIBYTE = 1024 * 1024
const SMALLEST = 23 * MEBIBYTE
const LARGEST_PER_CONTAINER = 1000 * MEBIBYTE

/** Prefers nodes that hold the pod's images, scaled by how many nodes do: one lucky node must not draw every pod. */
export const imageLocality: WorldScorePlugin = {
  name: 'ImageLocality',
  applies: (pod, world) => anyImages(world) && pod.images.length > 0,
  preScore(pod, world, feasible) {
    const total = world.nodes.length
    const spread = pod.images.map((image) => ({
      image,
      share: world.tally(`image ${image}`, (node) => (node.images.has(image) ? { domain: '', amount: 1 } : null)).total / total,
    }))
    if (spread.every(({ share }) => share === 0)) return null
    const most = LARGEST_PER_CONTAINER * pod.images.length
    return feasible.map((node) => {
      const bytes = spread.reduce((sum, { image, share }) => sum + Math.trunc(sizeOn(node, image) * share), 0)
      return Math.trunc((MAX_SCORE * (Math.min(Math.max(bytes, SMALLEST), most) - SMALLEST)) / (most - SMALLEST))
    })
  },
}

/** Does any device say which images it holds? */
export function anyImages(world: WorldView): boolean {
  return world.tally('any images', (node) => (node.images.size > 0 ? { domain: '', amount: 1 } : null)).total > 0
}

function sizeOn(node: NodeInfo, image: string): number {
  return node.images.get(image) ?? 0
}

/** `registry/name` is `registry/name:latest`. */
export function imageWithTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
