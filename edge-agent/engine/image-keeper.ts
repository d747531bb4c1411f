/**
 * Images for releases: pinned once resolved, fetched resumably, repaired when damaged, removed when nothing needs them.
 * INVARIANTS
 * - An image that is on the device and pinned is used without asking any registry.
 * - A damaged image is removed only while no container of it runs.
 * - Credentials are here in memory only; no log, cause or record carries one.
 */
import { cause, causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { pullDelayMs } from '../core/backoff.ts'
import { noteAttempt, noteDamaged, noteFetched, notePin, noteRepaired, pinOf } from '../core/image-record.ts'
import type { Pin } from '../core/image-record.ts'
import { parseReference, withTag } from '../core/image-reference.ts'
import { credentialFor } from '../core/image-use.ts'
import type { DiskSpace } from '../core/image-space.ts'
import type { ImagesWanted, ImageUse, Outcome, Pulls, PullTotals } from '../core/model.ts'
import type { Clock, ImageRecordStore, Log } from '../ports.ts'
import { isOffline, pullCause, readFailure } from './docker-failures.ts'
import { openImageBook } from './image-book.ts'
import type { ImageEngine, InspectedImage } from './image-engine.ts'
import { fetchImage } from './image-fetch.ts'
import type { FetchParts } from './image-fetch.ts'
import { imageProof } from './image-proof.ts'
import type { ImageProof } from './image-proof.ts'
import { createPullBoard } from './image-pulls.ts'
import { createPullPace } from './pull-pace.ts'
import type { RateNow } from './pull-pace.ts'
import type { PullBoard } from './image-pulls.ts'
import { createStaging } from './image-staging.ts'
import { sweepImages } from './image-sweep.ts'

export interface ImageKeeperOptions {
  readonly record: ImageRecordStore
  readonly stagingDir: string
  readonly log: Log
  readonly onPulls: (pulls: Pulls) => void
  /** null when it cannot be told */
  space(dataRoot: string): Promise<DiskSpace | null>
  hasOwnCertificate(registry: string): Promise<boolean>
}

type Policy = 'Always' | 'IfNotPresent' | 'Never'
const NOTHING_WANTED: ImagesWanted = { credentials: [], prefetch: [], images: [] }

export class ImageKeeper {
  readonly #engine: ImageEngine
  readonly #clock: Clock
  readonly #options: ImageKeeperOptions
  readonly #book
  readonly #staging
  readonly #proof: ImageProof
  readonly #fetch: FetchParts
  readonly #board: PullBoard
  #wanted = NOTHING_WANTED
  #prefetchRound = 0
  #sweeping = false
  /** ids read back whole, and when: a wrong command must not read a large image again and again */
  readonly #whole = new Map<string, number>()

  constructor(engine: ImageEngine, clock: Clock, stallMs: number, options: ImageKeeperOptions) {
    this.#engine = engine
    this.#clock = clock
    this.#options = options
    this.#book = openImageBook(options.record, options.log)
    this.#proof = imageProof(engine, clock, this.#book, options.log)
    this.#staging = createStaging(options.stagingDir)
    this.#board = createPullBoard(clock, options.onPulls)
    const { space, hasOwnCertificate } = options
    const pace = createPullPace(clock)
    this.#fetch = { engine, staging: this.#staging, stallMs, pace, space, hasOwnCertificate, freeSpace: () => this.sweep(true) }
  }

  pullTotals(): PullTotals {
    return this.#board.totals()
  }

  async ensure(image: string, policy: Policy, signal: AbortSignal, use?: ImageUse): Promise<Outcome> {
    try {
      await this.#book.ready
      const pin = use === undefined ? null : pinOf(this.#book.record(), image, use.release)
      const present = await this.#present(image, pin)
      if (present !== null) await this.#proof.check(present.id, image)
      if (present !== null && this.#isDamaged(present.id)) {
        const refused = await this.#repair(present.id, image)
        if (refused !== null) return refused
      } else if (present !== null && (pin !== null || policy !== 'Always')) return await this.#use(image, present, use)
      if (policy === 'Never') return { ok: false, cause: cause('image.absent', { image }) }
      const outcome = await this.#pull(image, pin, signal, use)
      const standIn = outcome.ok || signal.aborted || !isOffline(outcome.cause) ? null : await this.#present(image, null)
      // a device without a network must still be able to start what it has; a registry that refuses is obeyed
      if (outcome.ok || standIn === null) return outcome
      this.#options.log.warn('the registry cannot be asked: the image that is here is used', { image, why: causeSentence(outcome.cause) })
      return await this.#use(image, standIn, use)
    } catch (error) {
      return {
        ok: false,
        cause: pullCause(readFailure(error), image, { limitMs: LIMITS.engineCallMs.value, since: new Date(this.#clock.now().wallMs).toISOString() }),
      }
    }
  }

  want(wanted: ImagesWanted): void {
    if (JSON.stringify(wanted.credentials) !== JSON.stringify(this.#wanted.credentials)) this.#board.forgive()
    this.#wanted = wanted
    this.#board.keepOnly(new Set([...wanted.prefetch, ...wanted.images.map(({ image }) => image)]))
    this.#prefetchRound += 1
    void this.#prefetch(this.#prefetchRound)
    void this.#sweepOn()
  }

  /**
   * What a container of this release is made from: the pinned image, with the name it is reported by. `from` is the image's own name while
   * that still stands for the pinned one, so that `docker ps` reads well; its id otherwise.
   */
  async pinned(image: string, release: string | undefined): Promise<{ readonly from: string; readonly name: string } | null> {
    const pin = release === undefined ? null : pinOf(this.#book.record(), image, release)
    if (pin === null) return null
    const reference = parseReference(image)
    const name = pin.digest === undefined || reference === null ? pin.id : `${reference.registry}/${reference.repository}@${pin.digest}`
    const named = await this.#engine.inspect(withTag(image))
    return { from: named?.id === pin.id ? image : pin.id, name }
  }

  /** A container of this image starts again, perhaps after a power cut: what that cost the image is found before it runs. */
  async doubted(id: string, image: string): Promise<string | null> {
    await this.#book.ready
    await this.#proof.checkMade(id, image)
    return this.#isDamaged(id) ? 'the power went soon after it was fetched' : null
  }

  /** A container of this image would not start: reads the image back. What is wrong with it, or null when it is whole. */
  async suspect(id: string, image: string): Promise<string | null> {
    const now = this.#clock.now().monoMs
    if (now - (this.#whole.get(id) ?? -Infinity) < LIMITS.imageSweepMs.value) return null
    const why = await this.#engine.verify(id)
    if (why === null) {
      this.#whole.set(id, now)
      return null
    }
    this.#options.log.error('an image is damaged on the disk', { image, why })
    await this.#book.update((record) => noteDamaged(record, id, image))
    return why
  }

  async #present(image: string, pin: Pin | null): Promise<InspectedImage | null> {
    if (pin !== null) return this.#engine.inspect(pin.id)
    const byName = await this.#engine.inspect(withTag(image))
    if (byName !== null) return byName
    // an image that was loaded in parts has no name with a digest
    const digest = parseReference(image)?.digest
    const known = digest === null ? undefined : this.#book.record().images.findLast((one) => one.digest === digest)
    return known === undefined ? null : this.#engine.inspect(known.id)
  }

  async #use(image: string, { id, digests }: InspectedImage, use: ImageUse | undefined): Promise<Outcome> {
    if (use !== undefined) {
      const digest = this.#book.record().images.find((one) => one.id === id)?.digest ?? digests[0]?.split('@')[1]
      await this.#book.update((record) => notePin(record, { image, release: use.release, id, ...(digest === undefined ? {} : { digest }) }))
    }
    return { ok: true }
  }

  async #pull(image: string, pin: Pin | null, signal: AbortSignal, use: ImageUse | undefined): Promise<Outcome> {
    // a release keeps its bytes, also when its image was lost
    const target = pin?.digest === undefined ? image : `${image.split('@')[0] ?? image}@${pin.digest}`
    const secrets = use?.secrets ?? this.#wanted.credentials.map(({ secret }) => secret)
    const credential = credentialFor(this.#wanted.credentials, parseReference(image)?.registry ?? '', secrets)
    const attempt = (this.#book.record().attempts[image] ?? 0) + 1
    const outcome = await this.#board.run(image, attempt, signal, async (onProgress) => {
      await this.#proof.checkParts()
      await this.#book.update((record) => noteAttempt(record, image))
      const rate: RateNow = () => this.#wanted.limits?.[image] ?? null
      const fetched = await fetchImage(this.#fetch, { image: target, credential, rate }, signal, onProgress)
      if (!fetched.ok) return fetched
      this.#proof.fetched(fetched.fetched.id)
      await this.#book.update((record) => noteFetched(record, { ...fetched.fetched, reference: image }))
      return fetched
    })
    if (!outcome.ok) return outcome
    const { id, digest } = outcome.fetched
    return this.#use(image, { id, layers: [], digests: digest === undefined ? [] : [`@${digest}`] }, use)
  }

  #isDamaged(id: string): boolean {
    return this.#book.record().images.some((one) => one.id === id && one.damaged === true)
  }

  /** Removes the damaged image so that it can be fetched again; null = gone. */
  async #repair(id: string, image: string): Promise<Outcome | null> {
    const repairs = this.#book.record().images.find((one) => one.id === id)?.repairs ?? 0
    const damaged = (why: string): Outcome => ({ ok: false, cause: cause('image.damaged', { image, why }) })
    if (repairs >= LIMITS.imageRepairs.value) return damaged(`it was repaired ${repairs} times already`)
    const users = (await this.#engine.usedBy()).filter(({ imageId }) => imageId === id)
    const running = users.filter((one) => one.running).length
    if (running > 0) return damaged(`${running} running containers use it, so it stays until they end`)
    const names = (await this.#engine.list()).find((one) => one.id === id)?.references ?? []
    for (const name of [...names.filter((one) => !one.includes('@') && !one.startsWith('<none>')), id]) await this.#engine.removeImage(name)
    if ((await this.#engine.inspect(id)) !== null) return damaged(`${users.length} containers use it, so it stays until they are removed`)
    await this.#book.update((record) => noteRepaired(record, id))
    this.#options.log.warn('a damaged image was removed and is fetched again', { image })
    return null
  }

  /** Ahead of need: one after another, with the same backoff as any pull. */
  async #prefetch(round: number): Promise<void> {
    const quiet = new AbortController().signal
    for (const image of this.#wanted.prefetch) {
      for (let failures = 0; round === this.#prefetchRound;) {
        const outcome = await this.ensure(image, 'IfNotPresent', quiet)
        if (outcome.ok) break
        failures = outcome.cause.facts['gained'] === 'yes' ? 1 : failures + 1
        await this.#pause(outcome.cause.retryInMs ?? pullDelayMs(failures, `prefetch ${image}`))
      }
    }
  }

  /** Soon after the first desired state, then as often as the table says. */
  async #sweepOn(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    for (let pauseMs = LIMITS.pullRetryMaxMs.value; ; pauseMs = LIMITS.imageSweepMs.value) {
      await this.#pause(pauseMs)
      if (!this.#board.isPulling()) await this.sweep(false)
    }
  }

  /** Removes what may go; never rejects. */
  async sweep(pressed: boolean): Promise<void> {
    const { log, space } = this.#options
    try {
      await this.#book.ready
      const parts = { engine: this.#engine, staging: this.#staging, book: this.#book, log, space }
      await sweepImages(parts, this.#wanted, pressed, this.#board.isPulling())
    } catch (error) {
      log.warn('old images could not be looked for', { why: readFailure(error).text })
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.at(this.#clock.now().monoMs + ms, resolve))
  }
}
