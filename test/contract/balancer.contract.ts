/** What a balancer promises, over real sockets on loopback addresses. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { PlannedListener } from '../../edge-agent/core/service-model.ts'
import type { Balancer, Bounds } from '../../edge-agent/services/balancer.ts'

export function balancerContract(name: string, make: (bounds?: Bounds) => Balancer): void {
  describe(`${name} as a balancer`, () => {
    const ends: (() => Promise<void>)[] = []
    afterEach(async () => {
      for (const end of ends.splice(0).toReversed()) await end()
    })
    const balancer = (bounds?: Bounds): Balancer => {
      const made = make(bounds)
      ends.push(() => made.stop())
      return made
    }
    const backend = async (says: string): Promise<{ readonly port: number; close(): Promise<void> }> => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const parts: Buffer[] = []
        socket.on('data', (part) => parts.push(part))
        socket.on('end', () => socket.end(`${says} ${Buffer.concat(parts).length}`))
        socket.on('error', () => socket.destroy())
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      ends.push(() => closed(server))
      return { port: (server.address() as AddressInfo).port, close: () => closed(server) }
    }
    const listener = async (...ports: readonly number[]): Promise<PlannedListener> => ({
      service: 'default/web',
      host: '127.0.0.1',
      port: await freePort(),
      backends: ports.map((port) => ({ host: '127.0.0.1', port, near: true })),
      affinitySeconds: null,
    })

    it('goes round its backends and carries both directions to their end', async () => {
      const [a, b] = [await backend('a'), await backend('b')]
      const one = balancer()
      const web = await listener(a.port, b.port)
      expect(await one.set([web])).toEqual([])
      const answers = [await ask(web.port, 'hello'), await ask(web.port, 'x'.repeat(1_000_000)), await ask(web.port, ''), await ask(web.port, 'hi')]
      expect(answers.map((answer) => answer.slice(0, 1)).toSorted()).toEqual(['a', 'a', 'b', 'b'])
      expect(answers.map((answer) => answer.slice(2))).toEqual(['5', '1000000', '0', '2'])
    })

    it('goes on to the next when one refuses, without losing a byte', async () => {
      const [a, dead] = [await backend('a'), await backend('dead')]
      await dead.close()
      const one = balancer()
      const web = await listener(dead.port, a.port)
      await one.set([web])
      expect([await ask(web.port, 'hello'), await ask(web.port, 'hello')]).toEqual(['a 5', 'a 5'])
    })

    it('sends new connections elsewhere at once, and leaves open ones as they are', async () => {
      const [a, b] = [await backend('a'), await backend('b')]
      const one = balancer()
      const web = await listener(a.port)
      await one.set([web])
      const open = connect(web.port, '127.0.0.1')
      const answer = textOf(open)
      open.write('begun ')
      await until(() => one.open() === 1)
      void one.set([{ ...web, backends: [{ host: '127.0.0.1', port: b.port, near: true }] }])
      expect(await ask(web.port, 'hello')).toBe('b 5')
      open.end('and ended')
      expect(await answer).toBe('a 15')
    })

    it('refuses where it no longer listens, and resets where nobody takes the connection', async () => {
      const a = await backend('a')
      const one = balancer()
      const web = await listener(a.port)
      await one.set([web])
      await a.close()
      await expect(ask(web.port, 'hello')).rejects.toMatchObject({ code: 'ECONNRESET' })
      await one.set([])
      await expect(ask(web.port, 'hello')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })

    it('says which port is taken, goes on with the others, and has it when it is free', async () => {
      const [a, other] = [await backend('a'), await backend('other')]
      const one = balancer()
      const [web, taken] = [await listener(a.port), { ...(await listener(a.port)), port: other.port }]
      expect((await one.set([taken, web])).map(({ listener: { port }, code }) => [port, code])).toEqual([[other.port, 'EADDRINUSE']])
      expect(await ask(web.port, 'hello')).toBe('a 5')
      await other.close()
      expect(await one.set([taken, web])).toEqual([])
      expect(await ask(other.port, 'hello')).toBe('a 5')
    })

    it('takes no more connections than its bound, and others when one has ended', async () => {
      const a = await backend('a')
      const one = balancer({ connections: 1, idleMs: 60_000, halfOpenMs: 60_000 })
      const web = await listener(a.port)
      await one.set([web])
      const open = connect(web.port, '127.0.0.1')
      const answer = textOf(open)
      open.write('first')
      await until(() => one.open() === 1)
      await expect(ask(web.port, 'second')).rejects.toMatchObject({ code: 'ECONNRESET' })
      open.end()
      expect(await answer).toBe('a 5')
      await until(() => one.open() === 0)
      expect(await ask(web.port, 'third')).toBe('a 5')
    })

    it('ends a connection on which nobody says anything, and one whose other half does not end', async () => {
      const held: Socket[] = []
      const silent = createServer({ allowHalfOpen: true }, (socket) => void held.push(socket.on('error', () => socket.destroy()).resume()))
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      ends.push(() => {
        for (const socket of held) socket.destroy()
        return closed(silent)
      })
      const { port } = silent.address() as AddressInfo
      for (const [bounds, half] of [
        [{ connections: 8, idleMs: 50, halfOpenMs: 60_000 }, false],
        [{ connections: 8, idleMs: 60_000, halfOpenMs: 50 }, true],
      ] as const) {
        const one = balancer(bounds)
        const web = await listener(port)
        await one.set([web])
        const open = connect({ port: web.port, host: '127.0.0.1', allowHalfOpen: true })
        open.on('error', () => open.destroy()).resume()
        open.write('begun')
        if (half) open.end()
        const gone = new Promise((resolve) => open.once('close', resolve).once('end', () => open.destroy()))
        await gone
        await until(() => one.open() === 0)
      }
    })

    it('does not listen where the last of several calls does not want it', async () => {
      const a = await backend('a')
      const one = balancer()
      const web = await listener(a.port)
      await Promise.all([one.set([web]), one.set([])])
      await expect(ask(web.port, 'hello')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await one.set([web])
      expect(await ask(web.port, 'hello')).toBe('a 5')
    })

    it('takes two calls at once, and ends everything when it is stopped', async () => {
      const a = await backend('a')
      const one = make()
      const web = await listener(a.port)
      expect(await Promise.all([one.set([web]), one.set([web])])).toEqual([[], []])
      const open = connect(web.port, '127.0.0.1')
      const ended = textOf(open).catch(() => '')
      open.write('begun')
      await until(() => one.open() === 1)
      await one.stop()
      expect(await ended).toBe('')
      expect(one.open()).toBe(0)
    })
  })
}

function ask(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  const answer = textOf(socket)
  socket.end(text)
  return answer
}

function textOf(socket: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => (text += part))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await closed(server)
  return port
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
