/** Who is heard and who is not, and what that means for pods. */
import { startLostPodController } from './lost-pod-controller.ts'
import type { LostPodController, LostPodDeps } from './lost-pod-controller.ts'
import { startNodeLiveness } from './node-liveness-controller.ts'

/** @param silent told of each device that went silent */
export function watchDevices(
  deps: LostPodDeps,
  silent: (device: string) => void,
): { readonly lost: LostPodController; readonly touched: (device: string) => void; readonly stop: () => Promise<void> } {
  const { clock, book } = deps
  const lost = startLostPodController(deps)
  const wentSilent = (device: string): void => {
    silent(device)
    lost.look(device)
  }
  const liveness = startNodeLiveness({ clock, book, wentSilent })
  const touched = (device: string): void => {
    liveness.touched(device)
    lost.look(device)
  }
  return { lost, touched, stop: async () => liveness.stop() }
}
