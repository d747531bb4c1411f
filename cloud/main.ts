/** Composition root of the cloud: config -> store -> broker -> controllers -> API -> console. Every component on one page. */
import { mkdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADMIN_GROUP, isAdmin, tokenAuthenticator, tokenFile } from './apiserver/auth.ts'
import type { Authenticator, Principal } from './apiserver/auth.ts'
import { writeKubeconfig } from './apiserver/kubeconfig.ts'
import { openApiServer } from './apiserver/server.ts'
import { openAuditLog } from './audit-log.ts'
import { readConfig } from './config.ts'
import { agentPath, openAgentFolder } from './agent-bundles.ts'
import { openCertificates } from './certificates.ts'
import type { Certificates } from './certificates.ts'
import type { Config } from './config.ts'
import { createConsole } from './console/server.ts'
import type { Console, ConsoleOptions } from './console/server.ts'
import { startControllers } from './controllers/start-controllers.ts'
import type { Controllers } from './controllers/start-controllers.ts'
import { apiUrl, brokerSecret, joinDocument } from './join-document.ts'
import { liveSessions } from './live-sessions.ts'
import { createLog } from './log.ts'
import { meteredStore } from './metrics/metered-store.ts'
import { METRICS_GROUP, metricsPath } from './metrics/metrics-path.ts'
import { Metrics } from './metrics/metrics.ts'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from './mqtt/device-credentials.ts'
import { openEmbeddedBroker } from './mqtt/embedded-broker.ts'
import type { EmbeddedBroker } from './mqtt/embedded-broker.ts'
import { openMqttLink } from './mqtt/mqtt-link.ts'
import type { MqttLinkOptions } from './mqtt/mqtt-link.ts'
import { loadSigningKey } from './mqtt/signing-key.ts'
import { observe, readiness } from './observe.ts'
import { operatorPaths } from './operator-paths.ts'
import type { DeviceLink, Log } from './ports.ts'
import { readProfiles } from './scheduler-config.ts'
import { openSqliteStore } from './store/sqlite-store.ts'
import { systemClock as clock, systemRandom as random } from './system.ts'

/** put here by the bundler */
declare const SKERRY_VERSION: string | undefined
const VERSION = typeof SKERRY_VERSION === 'string' ? SKERRY_VERSION : '0.0.0-sources'

interface Running {
  stop(): Promise<void>
  /** null = nothing is read again */
  readonly reload: (() => void) | null
}

async function run(config: Config, log: Log): Promise<Running> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const keys = loadSigningKey(config.dataDir)
  const secret = brokerSecret(config.dataDir)
  const { token, authenticator, mayRead } = await whoMayAsk(config.dataDir)
  const metrics = new Metrics(log)
  const audit = openAuditLog(path.join(config.dataDir, 'audit.log'), log)
  const store = meteredStore(openSqliteStore(path.join(config.dataDir, 'store.sqlite'), { log, clock }), { clock, meter: metrics })
  const certificates: Certificates = await openCertificates(config, clock, log, {
    api: (pair) => api.show(pair),
    devices: (pair) => broker?.show(pair),
  })
  const { caPem } = certificates
  const broker = await openBroker(config, secret, certificates, log)
  const link = openMqttLink(
    { ...linkAccount(config, broker, secret), tenant: config.tenant, clientId: CLOUD_CLIENT_ID },
    { clock, random, log, meter: metrics },
  )
  const profiles = config.schedulerConfig === null ? {} : { profiles: await readProfiles(config.schedulerConfig) }
  const agents = openAgentFolder(config.dataDir)
  const shared = { store, link, clock, random, log, meter: metrics, signingKey: keys.signing }
  const controllers = await startControllers({ ...shared, agents, brokerIsOurs: broker !== null, epoch: 1, ...profiles })

  const whyPod: Controllers['whyPod'] = (namespace, name, node) => controllers.whyPod(namespace, name, node)
  const console = await openConsole(config, log, (assetsDir) =>
    createConsole({ store, clock, log, assetsDir, audit, authorize: mayRead, why: whyPod, ...whatConsoleAsks(controllers) }),
  )
  link.onMessage(({ device }) => console?.deviceChanged(device))
  const unobserve = observe(metrics, { store, link, broker, controllers, console, clock, version: VERSION, audit })
  let stopping = false
  // known once it listens; nobody asks before
  let https = config.https.port
  const operator = operatorPaths({ ...controllers, whyPod })
  const own = { scrape: metricsPath(metrics), agent: agentPath(agents, config, secret), operator, console }
  const live = liveSessions({ link, controllers, clock, log, signingKey: keys.signing, url: () => apiUrl(config, https) })
  const api = await openApiServer({
    live: live.verbs,
    store,
    clock,
    random,
    log,
    authenticator,
    meter: metrics,
    audit,
    health: () => readiness(link, () => stopping),
    issueJoin: (device) => Promise.resolve(joinDocument(config, device, { secret, trusted: keys.trusted, caPem, apiPort: https })),
    place: () => ({ url: apiUrl(config, https), ca: caPem }),
    handleOther: (request, response, principal) => others(request, response, principal, own),
  })
  await letDevicesIn(broker, link)
  https = await api.listenHttps(config.https.host, config.https.port, certificates.api)
  const http = config.http === null ? null : await api.listenHttp(config.http.host, config.http.port)
  await writeKubeconfig(path.join(config.dataDir, 'kubeconfig'), { server: `https://127.0.0.1:${https}`, token, caPem })
  log.info('the cloud is ready', { https, http, mqtt: broker?.port ?? null, data: config.dataDir, signingKey: keys.trusted.kid })

  // in reverse: first nobody asks, then nobody decides, then nothing is sent, last nothing is kept
  const stop = async (): Promise<void> => {
    stopping = true
    certificates.stop()
    unobserve()
    console?.close()
    live.close()
    await api.close()
    await controllers.stop()
    await link.stop()
    await broker?.close()
    await store.close()
  }
  return { stop, reload: certificates.reload }
}

/** In clear and over TLS, as the operator asks. */
function openBroker(
  { broker, mqtt, mqtts, tenant }: Config,
  secret: Uint8Array,
  { devices }: Certificates,
  log: Log,
): Promise<EmbeddedBroker> | null {
  if (broker !== null) return null
  const doors = [...(mqtt === null ? [] : [mqtt]), ...(mqtts === null ? [] : [{ ...mqtts, tls: devices }])]
  return openEmbeddedBroker({ doors, tenant, authenticate: passwordAuthenticator(secret), log })
}

/** Not before this cloud hears: a fleet that comes back sooner would wait, time out and come again, and its hello would be lost. */
async function letDevicesIn(broker: EmbeddedBroker | null, link: DeviceLink): Promise<void> {
  if (broker === null) return
  if (!link.isConnected()) await new Promise<void>((resolve) => link.onConnected(resolve))
  await broker.listen()
}

/** The tokens of this cloud, made at the first start: the administrator's, and one that may only scrape. */
async function whoMayAsk(dataDir: string): Promise<{
  readonly token: string
  readonly authenticator: Authenticator
  readonly mayRead: ConsoleOptions['authorize']
}> {
  const token = await tokenFile(path.join(dataDir, 'admin-token'))
  const authenticator = tokenAuthenticator([
    { token, principal: { name: 'admin', groups: [ADMIN_GROUP] } },
    { token: await tokenFile(path.join(dataDir, 'metrics-token')), principal: { name: 'metrics', groups: [METRICS_GROUP] } },
  ])
  const mayRead: ConsoleOptions['authorize'] = (request) => {
    const principal = authenticator.principalOf(request)
    return principal === null ? 'unknown' : isAdmin(principal) ? 'granted' : 'refused'
  }
  return { token, authenticator, mayRead }
}

function linkAccount(config: Config, broker: EmbeddedBroker | null, secret: Uint8Array): Pick<MqttLinkOptions, 'broker' | 'username' | 'password'> {
  if (config.broker !== null) return { ...config.broker, broker: config.broker.url }
  if (broker === null) throw new Error('neither a broker of its own nor another one')
  return { broker: () => broker.connectInside(), username: CLOUD_CLIENT_ID, password: brokerPassword(secret, CLOUD_CLIENT_ID) }
}

function whatConsoleAsks(controllers: Controllers): Pick<ConsoleOptions, 'facts' | 'readings' | 'lookAt' | 'topologyOf'> {
  return {
    facts: (device) => controllers.deviceFacts(device),
    readings: (device) => controllers.telemetry.samples(device),
    lookAt: (device) => controllers.lookAt(device),
    topologyOf: (device) => controllers.topologyOf(device),
  }
}

/** A cloud without a built console still serves its API. */
async function openConsole(config: Config, log: Log, create: (assetsDir: string) => Promise<Console>): Promise<Console | null> {
  if (config.consoleDir === null) return null
  try {
    return await create(config.consoleDir)
  } catch (error) {
    log.warn('no console is served: build it with npm run build, or say --console off', {
      dir: config.consoleDir,
      why: error instanceof Error ? error.message : String(error),
    })
    return null
  }
}

interface OtherPaths {
  readonly agent: ReturnType<typeof agentPath>
  readonly scrape: ReturnType<typeof metricsPath>
  readonly operator: ReturnType<typeof operatorPaths>
  readonly console: Console | null
}

async function others(
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal | null,
  { scrape, agent, operator, console }: OtherPaths,
): Promise<boolean> {
  if (agent(request, response)) return true
  const admin = principal !== null && isAdmin(principal)
  if (scrape(request, response, admin || principal?.groups.includes(METRICS_GROUP) === true)) return true
  if (console !== null && (request.url === '/' || request.url === '')) {
    response.writeHead(302, { location: '/console/', 'cache-control': 'no-store' }).end()
    return true
  }
  if (console !== null && (await console.handle(request, response))) return true
  return operator(request, response, admin)
}

async function main(): Promise<void> {
  const log = createLog((line) => process.stdout.write(line))
  const result = readConfig(process.argv.slice(2), process.env, path.dirname(fileURLToPath(import.meta.url)))
  if (result.kind !== 'run') {
    const stream = result.kind === 'help' ? process.stdout : process.stderr
    stream.write(`${result.text.trimEnd()}\n`)
    process.exitCode = result.kind === 'help' ? 0 : 2
    return
  }
  const { stop, reload } = await run(result.config, log)
  // without files to read a hang-up ends it, as it does any program
  if (reload !== null) process.on('SIGHUP', reload)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal })
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('could not stop in order', { why: String(error) })
          process.exit(1)
        },
      )
    })
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`skerry-cloud: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
