/** The API server: one handler behind an HTTPS listener for clients and a plain one on loopback for the console. */
import { createServer as createHttp } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttps, Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { LIMITS } from '../../protocol/limits.ts'
import { auditor } from './audit.ts'
import type { AuditLog, Clock, Log, Meter, Random, Store } from '../ports.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { RESOURCE_DEFINITIONS } from '../resources/registry.ts'
import type { Api } from './api.ts'
import type { Authenticator, Principal } from './auth.ts'
import { Catalog } from './catalog.ts'
import { devicesApi } from './devices-api.ts'
import { requestHandler } from './handler.ts'
import type { HandlerParts } from './handler.ts'
import { ensureNamespaces } from './first-namespaces.ts'
import { ensurePriorityClasses } from './first-priority-classes.ts'
import { ensureStorageClass } from './first-storage-class.ts'
import { enrollApi } from './enroll-api.ts'
import type { Health } from './health.ts'
import type { LiveVerbs } from './live-verbs.ts'
import { openApi } from './openapi.ts'
import { upgradeHandler } from './upgrade.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly authenticator: Authenticator
  /** default: every kind of the registry */
  readonly definitions?: readonly ResourceDefinition[]
  /** the join document of a device, see devices-api.ts */
  issueJoin(device: string): Promise<unknown>
  /** where devices reach this server, and the authority of its certificate: for files with which they enrol */
  place(): { readonly url: string; readonly ca: string }
  /** logs, exec, attach, port-forward; absent = answered with 501 */
  readonly live?: LiveVerbs
  readonly meter?: Meter
  readonly health?: Health
  /** who did what is written here */
  readonly audit?: AuditLog
  /** paths outside the API (console, reports): answers itself and returns true, or returns false */
  handleOther?(request: IncomingMessage, response: ServerResponse, principal: Principal | null): Promise<boolean>
}

export interface TlsFiles {
  readonly certPem: string
  readonly keyPem: string
}

export interface ApiServer {
  /** Port 0 chooses one; the bound port is returned. Rejects when the address cannot be bound. */
  listenHttps(host: string, port: number, tls: TlsFiles): Promise<number>
  /** Loopback only: tokens travel in clear here. */
  listenHttp(host: string, port: number): Promise<number>
  /** Another certificate at the HTTPS listeners; who is connected stays so. */
  show(tls: TlsFiles): void
  /** Ends watches and open connections. */
  close(): Promise<void>
}

/** Makes the namespaces and priority classes that always exist, then is ready to listen. */
export async function openApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, log } = options
  const api: Api = { store, clock, random, log, catalog: new Catalog(options.definitions ?? RESOURCE_DEFINITIONS) }
  await ensureNamespaces(api)
  await ensurePriorityClasses(api)
  await ensureStorageClass(api)
  const issueJoin = (device: string): Promise<unknown> => options.issueJoin(device)
  const parts: HandlerParts = {
    api,
    live: options.live ?? null,
    audit: options.audit === undefined ? undefined : auditor(options.audit, clock),
    meter: options.meter,
    health: options.health,
    openApi: openApi(api.catalog),
    authenticator: options.authenticator,
    devices: devicesApi(issueJoin, enrollApi(api, { issueJoin, place: () => options.place() })),
    handleOther: async (request, response, principal) =>
      options.handleOther === undefined ? false : options.handleOther(request, response, principal),
  }
  const handler = requestHandler(parts)
  const upgrade = upgradeHandler(parts)
  const servers: Server[] = []
  const listen = async (server: Server, host: string, port: number): Promise<number> => {
    server.on('error', (error) => log.error('API listener', { host, port, error: error.message }))
    server.on('upgrade', upgrade)
    server.maxConnections = LIMITS.apiConnections.value
    server.keepAliveTimeout = LIMITS.apiKeepAliveMs.value
    servers.push(server)
    return bind(server, host, port)
  }
  return {
    listenHttps: (host, port, tls) => listen(createHttps({ cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' }, handler), host, port),
    listenHttp(host, port) {
      if (!LOOPBACK.has(host)) throw new Error(`plain HTTP listens on loopback only (127.0.0.1 or ::1), not on ${host}; use HTTPS`)
      return listen(createHttp(handler), host, port)
    },
    show({ certPem, keyPem }) {
      for (const server of servers) if (server instanceof HttpsServer) server.setSecureContext({ cert: certPem, key: keyPem, minVersion: 'TLSv1.2' })
    },
    async close() {
      await Promise.all(servers.map((server) => closeServer(server)))
    },
  }
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

async function bind(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
