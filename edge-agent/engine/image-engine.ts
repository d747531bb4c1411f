/** What the engine can do with images, over its API. INVARIANT: every call but load and pull ends by the caller's deadline, and reading back by its own. */
import { BlockList, isIP } from 'node:net'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { PresentImage } from '../core/image-gc.ts'
import type { PullCredential } from '../core/model.ts'
import { readFailure } from './docker-failures.ts'
import type { EngineFailure } from './docker-failures.ts'
import type { Caller } from './engine-call.ts'
import { platformOf } from './image-manifest.ts'
import type { Platform } from './image-manifest.ts'
import { pullImage } from './image-pull.ts'
import type { PullLimits } from './image-pull.ts'
import { readJsonLines } from './json-lines.ts'

export interface InspectedImage {
  readonly id: string
  /** uncompressed digests of its layers, lowest first */
  readonly layers: readonly string[]
  readonly digests: readonly string[]
}

export interface EngineFacts {
  readonly platform: Platform
  /** it keeps layers by their chain, so that an image may be loaded in parts */
  readonly takesParts: boolean
  /** it reaches registries through a proxy that this agent does not know */
  readonly usesProxy: boolean
  readonly dataRoot: string
  speaksPlain(registry: string): boolean
}

export interface ImageEngine {
  facts(): Promise<EngineFacts>
  inspect(name: string): Promise<InspectedImage | null>
  list(): Promise<readonly PresentImage[]>
  /** images of all containers, in any state */
  usedBy(): Promise<readonly { readonly imageId: string; readonly running: boolean }[]>
  tag(id: string, name: string): Promise<void>
  /** never forced: an image in use stays. Answers whether it is gone */
  removeImage(name: string): Promise<boolean>
  load(archive: Readable, signal: AbortSignal): Promise<void>
  pull(image: string, credential: PullCredential | null, signal: AbortSignal, limits: PullLimits): Promise<EngineFailure | null>
  /** reads every layer back; null = whole, else what is wrong */
  verify(id: string): Promise<string | null>
}

/** A load that the engine refused, in its own words. */
export class LoadError extends Error {
  readonly failure: EngineFailure
  constructor(failure: EngineFailure) {
    super(failure.text)
    this.failure = failure
  }
}

export function createImageEngine(docker: Docker, { call }: Caller): ImageEngine {
  return {
    facts: async () => readFacts(await call(() => docker.info()), await call(() => docker.version())),
    inspect: async (name) => readImage(await unlessAbsent(call(() => docker.getImage(name).inspect()))),
    list: async () => {
      const images = await call((abortSignal) => docker.listImages({ abortSignal }))
      return images.map(({ Id, RepoTags, RepoDigests, Size }) => ({ id: Id, references: [...(RepoTags ?? []), ...(RepoDigests ?? [])], size: Size }))
    },
    usedBy: async () => {
      const containers = await call((abortSignal) => docker.listContainers({ all: true, abortSignal }))
      return containers.map(({ ImageID, State }) => ({ imageId: ImageID, running: State === 'running' || State === 'paused' }))
    },
    tag: async (id, name) => {
      const colon = name.lastIndexOf(':')
      const repo = colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
      await call((abortSignal) => docker.getImage(id).tag({ repo, tag: repo === name ? 'latest' : name.slice(colon + 1), abortSignal }))
    },
    removeImage: async (name) => {
      try {
        await call((abortSignal) => docker.getImage(name).remove({ abortSignal }), LIMITS.saveMs.value)
        return true
      } catch (error) {
        return readFailure(error).status === 404
      }
    },
    load: async (archive, signal) => {
      try {
        await readLoad(await docker.loadImage(archive, { abortSignal: signal, quiet: true }))
      } catch (error) {
        if (error instanceof LoadError) throw error
        throw new LoadError(readFailure(error))
      }
    },
    pull: (image, credential, signal, limits) => {
      const authconfig =
        credential === null
          ? {}
          : { authconfig: { username: credential.username, password: credential.password, serveraddress: credential.registry } }
      return pullImage((reference, abortSignal) => docker.createImage({ fromImage: reference, abortSignal, ...authconfig }), image, signal, limits)
    },
    verify: async (id) => {
      try {
        await call(async (abortSignal) => {
          const bytes = (await docker.getImage(id).get()) as Readable
          for await (const _ of addAbortSignal(abortSignal, bytes)) continue
        }, LIMITS.imageReadBackMs.value)
        return null
      } catch (error) {
        const failure = readFailure(error)
        // only the engine's own word counts: a broken connection says nothing about the disk
        return failure.status !== null && failure.status >= 500 ? failure.text : null
      }
    },
  }
}

/** null when the engine answers that there is no such thing. */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (readFailure(error).status === 404) return null
    throw error
  }
}

function readLoad(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let said: EngineFailure | null = null
    readJsonLines(stream, LIMITS.messageText.value * 64, {
      line: (value) => {
        if (isRecord(value) && typeof value['error'] === 'string') said = readFailure({ message: value['error'] })
      },
      end: (error) => {
        const failure = said ?? (error === null ? null : readFailure(error))
        if (failure === null) resolve()
        else reject(new LoadError(failure))
      },
    })
  })
}

function readImage(json: unknown): InspectedImage | null {
  if (!isRecord(json) || typeof json['Id'] !== 'string') return null
  const rootfs = isRecord(json['RootFS']) ? json['RootFS'] : {}
  return { id: json['Id'], layers: texts(rootfs['Layers']), digests: texts(json['RepoDigests']) }
}

function readFacts(info: unknown, version: unknown): EngineFacts {
  const facts = isRecord(info) ? info : {}
  const components: readonly unknown[] = isRecord(version) && Array.isArray(version['Components']) ? version['Components'] : []
  const isDocker = components.some((one) => isRecord(one) && one['Name'] === 'Engine')
  const registries = isRecord(facts['RegistryConfig']) ? facts['RegistryConfig'] : {}
  const plain = new BlockList()
  for (const range of texts(registries['InsecureRegistryCIDRs'])) {
    const [address = '', prefix] = range.split('/')
    const family = isIP(address)
    if (family !== 0) plain.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
  }
  const named = isRecord(registries['IndexConfigs']) ? registries['IndexConfigs'] : {}
  return {
    platform: platformOf(typeof facts['Architecture'] === 'string' ? facts['Architecture'] : ''),
    takesParts: isDocker && !JSON.stringify(facts['DriverStatus'] ?? []).includes('io.containerd'),
    usesProxy: [facts['HttpProxy'], facts['HttpsProxy']].some((one) => typeof one === 'string' && one !== ''),
    dataRoot: typeof facts['DockerRootDir'] === 'string' ? facts['DockerRootDir'] : '',
    speaksPlain: (registry) => {
      const own = Object.hasOwn(named, registry) ? named[registry] : undefined
      if (isRecord(own)) return own['Secure'] === false
      const host = registry.replace(/:\d+$/, '')
      if (host === 'localhost') return true
      const family = isIP(host)
      return family !== 0 && plain.check(host, family === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

function texts(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : []
  return items.flatMap((one) => (typeof one === 'string' ? [one] : []))
}
