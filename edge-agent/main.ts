/**
 * The agent, every component on one page: config -> lock -> state -> loop -> field page -> inventory -> and last the cloud,
 * which nothing waits for. INVARIANTS: workloads never depend on this process: it may end at any moment, and the next one
 * adopts what runs; one agent a state folder.
 */
import type { LocalSettings } from './core/pod-model.ts'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { clip, LIMITS } from '../protocol/limits.ts'
import { awaitJoin } from './await-join.ts'
import { HELP, readCommand } from './config.ts'
import type { RunConfig } from './config.ts'
import { freshClock } from './core/clock-trust.ts'
import { connectCloud, createLink } from './connect-cloud.ts'
import { NO_CRON } from './core/cron-model.ts'
import { initialState } from './core/initial-state.ts'
import type { EngineInfo } from './core/model.ts'
import type { Loaded } from './core/saved-model.ts'
import type { AgentState } from './core/state.ts'
import { createDockerEngine } from './engine/docker-engine.ts'
import { hostOfImages } from './engine/image-host.ts'
import { readLocalSettings } from './local-settings.ts'
import { keepEvents } from './keep-events.ts'
import type { KeptEvents } from './keep-events.ts'
import { keepPage } from './keep-page.ts'
import { keepPace, linkOwn } from './keep-pace.ts'
import { keepPressure } from './keep-pressure.ts'
import { keepTelemetry } from './keep-telemetry.ts'
import { leaveWords } from './last-words.ts'
import { textOf } from './local-page/text-view.ts'
import { keepServices } from './keep-services.ts'
import { keepSessions } from './keep-sessions.ts'
import { createLog } from './log.ts'
import type { AgentLog } from './log.ts'
import type { CloudLink, Engine, StateStore } from './ports.ts'
import { pagePin } from './page-pin.ts'
import { takeLock } from './process-lock.ts'
import { startRescue } from './rescue.ts'
import { startLoop } from './runtime/loop.ts'
import { createProber } from './runtime/probe-runner.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { inventoryTeller, openInventory, showInventory } from './tell-inventory.ts'
import { repeat } from './runtime/timers.ts'
import { keepSelf } from './keep-agent.ts'
import { keepClock } from './watch-clock.ts'
import { createWatchdog, EXIT_STUCK } from './runtime/watchdog.ts'
import { openImageRecordFile } from './store/image-record-file.ts'
import { saveBundle } from './save-bundle.ts'
import { createVolumes } from './volumes/pod-volumes.ts'
import { openStateStore } from './store/state-store.ts'

/** put here by the bundler */
declare const SKERRY_VERSION: string | undefined
const VERSION = typeof SKERRY_VERSION === 'string' ? SKERRY_VERSION : '0.0.0-sources'

declare const SKERRY_BUILT_MS: number | undefined
const BUILT_MS = typeof SKERRY_BUILT_MS === 'number' ? SKERRY_BUILT_MS : 0

/** EX_USAGE */
const EXIT_USAGE = 64

async function main(): Promise<void> {
  // a library's url.parse() is nothing that a reader of this log could act on
  process.noDeprecation = true
  // whoever reads the output may go away; the agent goes on
  process.stdout.on('error', () => {})
  const command = readCommand()
  switch (command.kind) {
    case 'run':
      return run(command.config)
    case 'unjoined':
      return awaitJoin(command)
    case 'inventory':
      return print(await showInventory(command.root, command.output, VERSION))
    case 'pin':
      return print(`${pagePin(command.config.stateDir, command.config.join.pagePin)}\n`)
    case 'bundle':
      return print(await saveBundle(command.config, command.file, VERSION))
    case 'rescue':
      return void (await startRescue({ ...command.page, stateDir: command.stateDir, fd: command.fd, nowMs: () => systemClock.now().wallMs }))
    case 'version':
      return print(`skerry-agent ${VERSION}\n`)
    case 'help':
      return print(HELP)
    case 'wrong':
      process.stderr.write(`skerry-agent: ${command.message}\nSee skerry-agent --help\n`)
      process.exitCode = EXIT_USAGE
  }
}

async function run(config: RunConfig): Promise<void> {
  const { device, password = '' } = config.join
  const log = createLog({ write: (line) => void process.stdout.write(line), wallMs: () => systemClock.now().wallMs, secrets: [password] })
  const lock = takeLock(config.stateDir)
  if (!lock.ok) {
    process.stderr.write(`skerry-agent: ${lock.message}\n`)
    process.exitCode = 1
    return
  }
  const sid = randomUUID()
  log.info('agent starts', { device, version: VERSION, node: process.version, pid: process.pid, sid })
  const words = (state: 'runs' | 'stopped' | 'failed', why: string): void =>
    leaveWords(
      config.stateDir,
      { state, why, device, version: VERSION },
      log.lines(),
      textOf(loop.state(), systemClock.now()),
      systemClock.now().wallMs,
    )
  leaveWords(config.stateDir, { state: 'runs', why: '', device, version: VERSION }, [], '', systemClock.now().wallMs)
  process.on('uncaughtExceptionMonitor', (error) => words('failed', error.stack ?? error.message))
  const store = openStateStore(config.stateDir, { log })
  const engine = createDockerEngine({
    socketPath: config.dockerSocket,
    device,
    clock: systemClock,
    images: {
      ...hostOfImages,
      record: openImageRecordFile(config.stateDir),
      stagingDir: path.join(config.stateDir, 'images'),
      log,
      onPulls: (pulls) => loop.dispatch({ kind: 'pulls', pulls }),
    },
  })
  const link = config.cloud ? createLink(config, sid, log) : null
  const events = keepEvents(config, link, log)
  const telemetry = link === null ? null : keepTelemetry(config, link, { log, state: () => loop.state(), allowance: () => events.allowance() })
  const local = await readLocalSettings(config, log)
  const services = keepServices(local, engine, systemClock, log, () => loop)
  const engineInfo = (): EngineInfo | null => loop.state().engine.info
  const inventory = await openInventory(config.hardwareRoot, { device, agentVersion: VERSION, clock: systemClock, engine: engineInfo })
  const loop = createLoop(config, sid, { store, engine, link, log, local, changed: [services, events, telemetry] }, () => void tellInventory(), words)
  const tellInventory = inventoryTeller(inventory, loop, log)

  const page = keepPage(config, loop, engine, log, events)
  const sessions = keepSessions(config, { loop, engine, log, end: (why) => void end(why) })
  loop.dispatch({ kind: 'loaded', loaded: await load(store) })
  const stops = [
    engine.watch(() => loop.dispatch({ kind: 'engine-event' })),
    repeat(systemClock, systemRandom, LIMITS.inventoryIntervalMs.value, () => void tellInventory()),
    keepClock(config.clockRoot, loop),
    keepSelf(config, loop, log, (why) => void end(why)),
    keepPressure(engine, loop),
  ]
  void tellInventory()
  if (link === null) loop.dispatch({ kind: 'link', link: { kind: 'disabled' } })
  else connectCloud(link, loop, { sessions, telemetry }, config, sid)

  const end = async (signal: string): Promise<void> => {
    log.info('agent ends; workloads keep running', { signal })
    words('stopped', `${signal} was sent`)
    for (const stop of stops) stop()
    sessions.stop()
    await loop.stop()
    await Promise.all([page.close(), link?.stop(), events.stop(), telemetry?.stop(), services?.stop()])
    lock.release()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(signal))
}

interface LoopParts {
  readonly store: StateStore
  readonly engine: Engine
  readonly link: CloudLink | null
  readonly log: AgentLog
  readonly local: LocalSettings
  readonly changed: readonly (Pick<KeptEvents, 'changed'> | null)[]
}

function createLoop(
  { join }: RunConfig,
  sid: string,
  { store, engine, link, log, local, changed }: LoopParts,
  onEngineInfo: () => void,
  words: (state: 'failed', why: string) => void,
): Loop {
  const quit = (msg: string, fields: Readonly<Record<string, string | number>>): void => {
    log.error(msg, { ...fields, ...summary(loop.state()) })
    words('failed', `${msg}: ${JSON.stringify(fields)}`)
    // the supervisor starts a new process, which adopts what runs
    process.exit(EXIT_STUCK)
  }
  const pace = link === null ? null : keepPace(link)
  const loop = startLoop({
    initial: {
      ...initialState({ device: join.device, sid, agentVersion: VERSION }, systemClock.now()),
      local,
      ...linkOwn(join),
      clock: freshClock(BUILT_MS),
      cron: { ...NO_CRON, zone: local.zone ?? 'UTC' },
    },
    ports: {
      store,
      engine,
      log,
      clock: systemClock,
      prober: createProber(engine, systemClock),
      volumes: local.roots === null ? undefined : createVolumes(local.roots, local.policy, local.policyFile),
      link: link ?? { publishStatus: () => {}, publishInventory: () => {} },
      watchdog: createWatchdog(systemClock, (what, sinceMs) => quit('stuck', { what, sinceMs: Math.round(sinceMs) })),
    },
    onBroken: (event) => quit('the answer of an effect could not be taken', { event: event.kind }),
    onEngineInfo,
    onChanged: (before, after) => {
      for (const one of [...changed, pace]) one?.changed(before, after)
    },
  })
  return loop
}

function summary(state: AgentState): Readonly<Record<string, string | number>> {
  const { knowledge, wave, observing, engine, desired } = state
  return { knowledge, wave: wave?.id ?? 0, observing: String(observing), engine: engine.cause?.code ?? 'ok', generation: desired?.generation ?? 0 }
}

/** An unreadable folder is unknown, never empty: everything that runs is kept. */
async function load(store: StateStore): Promise<Loaded> {
  try {
    return await store.load()
  } catch (error) {
    return { kind: 'unknown', floor: null, why: clip(messageOf(error)) }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function print(text: string): void {
  process.stdout.write(text)
}

main().catch((error: unknown) => {
  process.stderr.write(`skerry-agent: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(EXIT_STUCK)
})
