/** Engine calls that only pods of several parts need: the sandbox's image, the user of an image, volumes of a pod. */
import type Docker from 'dockerode'
import { Readable } from 'node:stream'
import { cause } from '../../protocol/causes.ts'
import type { ContainerPlan, Outcome } from '../core/model.ts'
import { SANDBOX_IMAGE } from '../core/pod-units.ts'
import { readFailure, removeCause } from './docker-failures.ts'
import type { Caller } from './engine-call.ts'
import { pauseArchive, pauseProgram } from './pause-program.ts'
import { needsImageUser, VOLUME_LABELS } from './pod-options.ts'

export interface PodEngine {
  /** null = may be created; else why not */
  beforeCreate(plan: ContainerPlan): Promise<Outcome | null>
  dropVolumes(podUid: string): Promise<Outcome>
}

export function createPodEngine(docker: Docker, { call, context }: Caller, callMs: number, device: string): PodEngine {
  const imageThere = async (): Promise<boolean> => {
    try {
      await call(() => docker.getImage(SANDBOX_IMAGE).inspect())
      return true
    } catch (error) {
      if (readFailure(error).status === 404) return false
      throw error
    }
  }
  const makeSandboxImage = async (): Promise<Outcome | null> => {
    if (await imageThere()) return null
    const { Arch } = await call(() => docker.version())
    const program = pauseProgram(Arch)
    if (program === null) return refused(`no sandbox program is known for the processor ${Arch}`)
    const [repo = '', tag = ''] = SANDBOX_IMAGE.split(':')
    const answer = await call(() => docker.importImage(Readable.from([pauseArchive(program)]), { repo, tag }))
    await drained(answer)
    return (await imageThere()) ? null : refused('the engine did not take the sandbox image')
  }
  /** Kubernetes: who must not be root and is nobody by number cannot be checked, and does not start. */
  const imageUser = async (plan: ContainerPlan): Promise<Outcome | null> => {
    const { Config } = await call(() => docker.getImage(plan.container.image).inspect())
    const user = (Config.User ?? '').split(':')[0] ?? ''
    if (/^[1-9]\d*$/.test(user)) return null
    return refused(
      `runAsNonRoot is set, and the image runs as ${user === '' || user === '0' ? 'root' : `the name ${user}`}; set runAsUser to a number`,
    )
  }
  return {
    beforeCreate: async (plan) => {
      if (plan.network === 'holder') return makeSandboxImage()
      return needsImageUser(plan) ? imageUser(plan) : null
    },
    dropVolumes: async (podUid) => {
      try {
        const label = [`${VOLUME_LABELS.device}=${device}`, `${VOLUME_LABELS.podUid}=${podUid}`]
        const { Volumes } = await call(() => docker.listVolumes({ filters: JSON.stringify({ label }) }))
        for (const { Name } of Volumes) await call(() => docker.getVolume(Name).remove())
        return { ok: true }
      } catch (error) {
        const failure = readFailure(error)
        return failure.status === 404 ? { ok: true } : { ok: false, cause: removeCause(failure, context(callMs)) }
      }
    },
  }
}

function refused(why: string): Outcome {
  return { ok: false, cause: cause('container.create.failed', { why }) }
}

async function drained(stream: NodeJS.ReadableStream): Promise<void> {
  stream.resume()
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve)
    stream.once('error', reject)
  })
}
