/**
 * A real registry (Debian's docker-registry) on loopback, images made of layers of a known size, and a proxy before it that
 * counts, throttles and cuts what the engine reads.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { whyNoProgram } from './programs.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'

export interface Registry {
  readonly port: number
  /** pushes an image of these layers (tar archives); answers the digest of its manifest */
  push(repository: string, tag: string, layers: readonly Buffer[]): Promise<string>
  /** only this user may read and write from now on; the registry reads the file at each request */
  setPassword(user: string, password: string): void
  stop(): Promise<void>
}

export function whyNoRegistry(): string | null {
  return whyNoProgram('docker-registry', 'docker-registry') ?? whyNoProgram('htpasswd', 'apache2-utils')
}

/** @param login asked of every client when given */
export async function startRegistry(dir: string, login?: { readonly user: string; readonly password: string }): Promise<Registry> {
  const port = await freePort()
  const passwords = path.join(dir, 'htpasswd')
  const auth = { user: login?.user ?? '', password: login?.password ?? '' }
  const setPassword = (user: string, password: string): void => {
    auth.user = user
    auth.password = password
    writeFileSync(passwords, execFileSync('htpasswd', ['-nbB', '-C', '4', user, password]))
  }
  mkdirSync(path.join(dir, 'blobs'), { recursive: true })
  if (login !== undefined) setPassword(login.user, login.password)
  const lines = ['version: 0.1', 'log: { level: error }', `storage: { filesystem: { rootdirectory: "${path.join(dir, 'blobs')}" } }`]
  lines.push(`http: { addr: "127.0.0.1:${port}" }`)
  if (login !== undefined) lines.push(`auth: { htpasswd: { realm: test, path: "${passwords}" } }`)
  const config = path.join(dir, 'registry.yml')
  writeFileSync(config, `${lines.join('\n')}\n`)
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const headers = (): Record<string, string> =>
    login === undefined ? {} : { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` }
  const base = `http://127.0.0.1:${port}/v2`
  while (
    !(await fetch(`${base}/`, { headers: headers() }).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with code ${child.exitCode}`)
    await sleep(50)
  }
  return {
    port,
    setPassword,
    push: (repository, tag, layers) => pushImage(`${base}/${repository}`, tag, layers, headers()),
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A layer with one file of random bytes, which nothing can compress. */
export function randomLayer(name: string, bytes: number): Buffer {
  return tarOf([{ name, body: randomBytes(bytes), mode: 0o644 }])
}

/** A layer with busybox as /bin/NAME for each name. */
export function busyboxLayer(names: readonly string[]): Buffer {
  const body = readFileSync('/bin/busybox')
  return tarOf(names.map((name) => ({ name: `bin/${name}`, body, mode: 0o755 })))
}

async function pushImage(base: string, tag: string, layers: readonly Buffer[], headers: Record<string, string>): Promise<string> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
      history: layers.map((_, index) => ({ created: '2026-01-01T00:00:00Z', created_by: `layer ${index}` })),
    }),
  )
  for (const blob of [config, ...layers]) await pushBlob(base, blob, headers)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digestOf(config) },
      layers: layers.map((layer) => ({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', size: layer.length, digest: digestOf(layer) })),
    }),
  )
  await expectOk(await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers: { ...headers, 'content-type': MANIFEST }, body: manifest }))
  return digestOf(manifest)
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

async function pushBlob(base: string, blob: Buffer, headers: Record<string, string>): Promise<void> {
  const started = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers }))
  const url = new URL(started.headers.get('location') ?? '', base)
  url.searchParams.set('digest', digestOf(blob))
  await expectOk(await fetch(url, { method: 'PUT', headers: { ...headers, 'content-type': 'application/octet-stream' }, body: blob }))
}

async function expectOk(answer: Response): Promise<Response> {
  const text = await answer.text()
  if (!answer.ok) throw new Error(`the registry answered ${answer.status}: ${text}`)
  return answer
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

interface TarFile {
  readonly name: string
  readonly body: Buffer
  readonly mode: number
}

/** A ustar archive of plain files. */
function tarOf(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap(({ name, body, mode }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

export interface CuttingProxy {
  readonly port: number
  /** bytes passed from the registry to its clients so far */
  served(): number
  /** connections cut so far */
  cuts(): number
  /** every connection is cut as soon as this many more bytes have passed, and none is made until this is called again; null = never */
  cutAfter(bytes: number | null): void
  /** connections are refused while it is down */
  setDown(down: boolean): void
  /** connections that carried bytes since it was started */
  connections(): number
  close(): Promise<void>
}

/** Before `target` on 127.0.0.1. @param bytesPerSecond at most this much to each client */
export async function startCuttingProxy(host: string, target: number, bytesPerSecond = Infinity): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  const book = { served: 0, cuts: 0, connections: 0, left: Infinity, down: false }
  const cutAll = (): void => {
    book.cuts += 1
    book.left = Infinity
    // a cut that meets the last byte of a layer must not go unnoticed
    book.down = true
    for (const socket of open) socket.resetAndDestroy()
  }
  const server = createServer((client) => {
    if (book.down) return void client.resetAndDestroy()
    book.connections += 1
    const upstream = createConnection(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      book.served += chunk.length
      book.left -= chunk.length
      // what the client does not take stays with the registry: else the proxy alone would have read it
      const isTaken = client.write(chunk)
      if (book.left <= 0) return cutAll()
      if (isTaken && bytesPerSecond === Infinity) return
      upstream.pause()
      const goOn = (): void => void setTimeout(() => upstream.resume(), bytesPerSecond === Infinity ? 0 : (chunk.length / bytesPerSecond) * 1000)
      if (isTaken) goOn()
      else client.once('drain', goOn)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    served: () => book.served,
    cuts: () => book.cuts,
    connections: () => book.connections,
    cutAfter: (bytes) => {
      book.down = false
      book.left = bytes ?? Infinity
    },
    setDown: (down) => {
      book.down = down
      if (down) for (const socket of open) socket.resetAndDestroy()
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
