/** The field page, listening as soon as its address can be had: a device without a page still runs its workloads. */
import { networkInterfaces } from 'node:os'
import { LIMITS } from '../protocol/limits.ts'
import type { RunConfig } from './config.ts'
import type { KeptEvents } from './keep-events.ts'
import type { Reading } from './core/telemetry.ts'
import { createHostReader } from './inventory/host-reader.ts'
import { createTelemetryReader } from './inventory/telemetry-reader.ts'
import { makeBundle } from './local-page/bundle.ts'
import { fieldPage } from './local-page/page-asset.ts'
import { startLocalPage } from './local-page/server.ts'
import type { LocalPage, PageActions } from './local-page/server.ts'
import type { AgentLog } from './log.ts'
import { pagePin } from './page-pin.ts'
import { checkPath } from './path-check/check-path.ts'
import type { Engine, PathStep } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { repeat } from './runtime/timers.ts'

/** Tried again while the address is taken or absent; the result closes it. `events` hear of everything that is done on the page. */
export function keepPage(config: RunConfig, loop: Loop, engine: Engine, log: AgentLog, events: KeptEvents): { close(): Promise<void> } {
  const { page, pageFd } = config
  if (page === null) return { close: () => Promise.resolve() }
  let open: LocalPage | null = null
  let stop: (() => void) | null = null
  const start = async (): Promise<void> => {
    try {
      open = await startLocalPage({
        ...page,
        ...(pageFd === null ? {} : { fd: pageFd }),
        log,
        page: fieldPage,
        state: loop.state,
        now: systemClock.now,
        agentLog: log.lines,
        logs: (target, lines) => engine.logs(target, lines),
        traffic: events.traffic,
        reading: readingsOf(loop),
        pulls: () => engine.pullTotals?.() ?? null,
        actions: pageActions(config, loop, engine, log, events),
      })
      stop?.()
      loop.dispatch({ kind: 'page', page: open.address })
      log.info('field page', { address: `http://${page.host}:${open.address.port}/` })
    } catch (error) {
      log.error('the field page cannot listen; it is tried again', {
        address: `${page.host}:${page.port}`,
        why: error instanceof Error ? error.message : String(error),
      })
      stop ??= repeat(systemClock, systemRandom, LIMITS.observeIdleMs.value, () => void start())
    }
  }
  void start()
  return {
    close: async () => {
      stop?.()
      await open?.close()
    },
  }
}

/** Read when somebody scrapes, and not more often than the table says. */
function readingsOf(loop: Loop): () => Promise<Reading | null> {
  const read = createTelemetryReader(createHostReader())
  let last: { readonly atMonoMs: number; readonly reading: Promise<Reading | null> } | null = null
  return () => {
    const now = systemClock.now()
    if (last !== null && now.monoMs - last.atMonoMs < LIMITS.metricReadingMs.value) return last.reading
    const { observed, engine } = loop.state()
    const running = (observed ?? []).filter(({ state }) => state === 'running').map(({ id }) => id)
    last = { atMonoMs: now.monoMs, reading: read(running, engine.info?.dataRoot ?? '/', now).catch(() => null) }
    return last.reading
  }
}

function pageActions(config: RunConfig, loop: Loop, engine: Engine, log: AgentLog, events: KeptEvents): PageActions {
  const pin = pagePin(config.stateDir, config.join.pagePin)
  const path = (): Promise<readonly PathStep[]> => wayToCloud(config, loop)
  return {
    pin,
    summaryIsOpen: config.join.pageRead !== 'pin',
    dispatch: loop.dispatch,
    checkPath: path,
    bundle: diagnostics(config, loop, engine, log),
    onAction: events.done,
  }
}

/** Makes the bundle for whoever mends this device, from the page or from the cloud. */
export function diagnostics(config: RunConfig, loop: Pick<Loop, 'state'>, engine: Pick<Engine, 'logs'>, log: AgentLog): () => Promise<Uint8Array> {
  return async () =>
    makeBundle({
      state: loop.state(),
      now: systemClock.now(),
      agentLog: log.lines(),
      logs: (target, lines) => engine.logs(target, lines),
      path: await wayToCloud(config, loop),
      secrets: [pagePin(config.stateDir, config.join.pagePin), config.join.password ?? ''],
      versions: { agent: loop.state().agentVersion, node: process.version },
    })
}

/** The way to the cloud of this machine, looked at now. */
export function wayToCloud({ join, proxies }: RunConfig, loop: Pick<Loop, 'state'>): Promise<readonly PathStep[]> {
  const issued = Date.parse(loop.state().desired?.issuedAt ?? '')
  return checkPath({
    reader: createHostReader('/'),
    clock: systemClock,
    broker: join.broker,
    ...(join.ca === undefined ? {} : { ca: join.ca }),
    proxies,
    addresses: localAddresses,
    link: () => loop.state().link,
    // the cloud's clock may be wrong as well: a day of grace
    surelyPastMs: () => Math.max(loop.state().clock.floorMs, Number.isNaN(issued) ? 0 : issued - 86_400_000),
  })
}

function localAddresses(): readonly { readonly interface: string; readonly address: string }[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    // bridges of containers lead nowhere
    /^(docker|br-|veth|virbr|cni)/.test(name) ? [] : (list ?? []).filter((one) => !one.internal).map(({ address }) => ({ interface: name, address })),
  )
}
