/**
 * Tells pods of silent devices when their device has certainly stopped them. INVARIANTS: silence counts only while this cloud
 * itself is connected, and from the moment on at which it was noticed here: never too soon, sometimes late.
 */
import { fenceMs, isFenced, isLost, lostPod } from '../core/lost-pods.ts'
import { keyOf, nameOf, uidOf } from '../core/meta.ts'
import type { DeviceLink } from '../ports.ts'
import type { DeviceBook } from './device-book.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export interface LostPodDeps extends ControllerDeps {
  readonly book: DeviceBook
  readonly link: Pick<DeviceLink, 'isConnected'>
}

export interface LostPodController extends Controller {
  /** the device was heard, or went silent */
  look(device: string): void
  /** the link of this cloud came up */
  connected(): void
}

const LOOK_AGAIN_MS = 30_000

export function startLostPodController(deps: LostPodDeps): LostPodController {
  const { cluster, clock, book, link, events } = deps
  let connectedMonoMs = clock.monoMs()
  const controller = runController(deps, 'lost-pod', async (device) => {
    const pods = cluster.pods.by('node', device).filter(isFenced)
    const view = book.peek(device)
    if (pods.length === 0 || view === null) return null
    if (view.silentAtMonoMs === null) {
      await Promise.all(pods.filter(isLost).map((pod) => cluster.change(cluster.pods, keyOf(pod), (now) => changed(now, pod, false))))
      return null
    }
    // what this cloud does not hear while it is cut off says nothing about the device
    if (!link.isConnected()) return LOOK_AGAIN_MS
    const silentMs = clock.monoMs() - Math.max(view.silentAtMonoMs, connectedMonoMs)
    let next: number | null = null
    for (const pod of pods) {
      const left = (fenceMs(pod) ?? Infinity) - silentMs
      if (left > 0) next = Math.min(next ?? left, left)
      else {
        await cluster.change(cluster.pods, keyOf(pod), (now) => changed(now, pod, true))
        if (!isLost(pod))
          events.record({
            about: pod,
            type: 'Warning',
            reason: 'Lost',
            message: `${device} is silent and has stopped ${nameOf(pod)}`,
            component: 'lost-pod-controller',
          })
      }
    }
    return next
  })
  const changed = (now: Parameters<typeof isLost>[0], seen: typeof now, silent: boolean): typeof now | null =>
    uidOf(now) === uidOf(seen) && isFenced(now) && (silent || isLost(now)) ? lostPod(now, silent, cluster.nowIso()) : null
  cluster.pods.onChange((next, previous) => {
    const device = next?.spec.nodeName
    if (next !== null && device !== undefined && isFenced(next) && (previous === null || previous.spec.nodeName !== device))
      controller.queue.add(device)
  })
  return {
    ...controller,
    look(device) {
      if (cluster.pods.by('node', device).some(isFenced)) controller.queue.add(device)
    },
    connected() {
      connectedMonoMs = clock.monoMs()
    },
  }
}
