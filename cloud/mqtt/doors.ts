/**
 * Where devices come in: plain TCP, TLS, or both. INVARIANTS: all doors open, or none; one address holds no more connections than the
 * table says, whichever doors it takes; a certificate that is changed meets new connections only.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { LIMITS } from '../../protocol/limits.ts'
import type { Log } from '../ports.ts'

/** PEM */
export interface TlsPair {
  readonly certPem: string
  readonly keyPem: string
}

export interface Door {
  readonly host: string
  /** 0 = any free one */
  readonly port: number
  /** absent = plain TCP */
  readonly tls?: TlsPair
}

export interface DoorParts {
  readonly log: Log
  readonly perAddress: number
  refused(why: 'address-connections' | 'tls'): void
  serve(socket: Socket): void
}

export class Doors {
  readonly #doors: readonly { readonly door: Door; readonly server: Server }[]
  readonly #parts: DoorParts
  readonly #sockets = new Set<Socket>()
  readonly #perAddress = new Map<string, number>()

  constructor(doors: readonly Door[], parts: DoorParts) {
    this.#parts = parts
    this.#doors = doors.map((door) => ({ door, server: this.#server(door) }))
  }

  /** In the order in which they were asked for. */
  ports(): readonly number[] {
    return this.#doors.map(({ server }) => (server.address() as AddressInfo).port)
  }

  async listen(): Promise<void> {
    for (const { door, server } of this.#doors) {
      await this.#bind(door, server)
      this.#parts.log.info('broker listens', { host: door.host, port: (server.address() as AddressInfo).port, tls: door.tls !== undefined })
    }
  }

  show(pair: TlsPair): void {
    for (const { server } of this.#doors) if (server instanceof TlsServer) server.setSecureContext(secure(pair))
  }

  /** Nobody comes in any more; `destroySockets` ends who is here. */
  async close(): Promise<void> {
    await Promise.all(this.#doors.map(({ server }) => new Promise<void>((resolve) => void server.close(() => resolve()))))
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #server({ tls }: Door): Server {
    const server = tls === undefined ? createServer() : createTlsServer({ ...secure(tls), handshakeTimeout: LIMITS.mqttBrokerConnectMs.value })
    server.on('connection', (socket: Socket) => this.#admit(socket))
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      if (!socket.destroyed) this.#parts.serve(socket)
    })
    if (tls !== undefined) server.on('tlsClientError', () => this.#parts.refused('tls'))
    return server
  }

  async #bind({ host, port }: Door, server: Server): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => reject(new Error(`the broker cannot listen on ${host}:${port}: ${error.message}`, { cause: error }))
      server.once('error', failed)
      server.listen(port, host, () => {
        server.off('error', failed)
        server.on('error', (error) => this.#parts.log.error('the broker had a fault', { error: error.message }))
        resolve()
      })
    }).catch(async (error: unknown) => {
      await this.close()
      throw error
    })
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const open = (this.#perAddress.get(address) ?? 0) + 1
    if (open > this.#parts.perAddress) {
      this.#parts.refused('address-connections')
      socket.destroy()
      return
    }
    this.#perAddress.set(address, open)
    this.#sockets.add(socket)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      const left = (this.#perAddress.get(address) ?? 1) - 1
      if (left > 0) this.#perAddress.set(address, left)
      else this.#perAddress.delete(address)
    })
  }
}

function secure({ certPem, keyPem }: TlsPair): { readonly cert: string; readonly key: string; readonly minVersion: 'TLSv1.2' } {
  return { cert: certPem, key: keyPem, minVersion: 'TLSv1.2' }
}
