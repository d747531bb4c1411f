/** Runs a real kubectl against a real HTTPS API server of this process. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { serverCertificate } from '../../cloud/apiserver/certificate.ts'
import { writeKubeconfig } from '../../cloud/apiserver/kubeconfig.ts'
import { ADMIN, startApiServer } from '../fakes/api-server.ts'
import type { TestServer } from '../fakes/api-server.ts'

const CLOUD_SDK = '/usr/lib/google-cloud-sdk/bin'

/** The kubectl on PATH; with SKERRY_KUBECTL_ALL=1 every version found; SKERRY_KUBECTL names more, separated by ':'. */
export function kubectlBinaries(): readonly string[] {
  const onPath = (process.env['PATH'] ?? '')
    .split(':')
    .map((dir) => join(dir, 'kubectl'))
    .filter((path) => existsSync(path))
    .slice(0, 1)
  const named = (process.env['SKERRY_KUBECTL'] ?? '').split(':').filter((path) => path !== '')
  if (process.env['SKERRY_KUBECTL_ALL'] !== '1' || !existsSync(CLOUD_SDK)) return [...onPath, ...named]
  const versions = readdirSync(CLOUD_SDK)
    .filter((name) => /^kubectl\.1\.\d+$/.test(name))
    .map((name) => join(CLOUD_SDK, name))
  return [...onPath, ...named, ...versions]
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Kubectl {
  readonly server: TestServer
  /** arguments are split at spaces; use `argv` where one holds a space */
  run(line: string, input?: string): Promise<Ran>
  argv(args: readonly string[], input?: string): Promise<Ran>
  /** starts it, gives its output so far on each call, and stops it */
  background(line: string): { output(): string; stop(): Promise<void> }
  close(): Promise<void>
}

export async function kubectlAgainst(binary: string): Promise<Kubectl> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-kubectl-'))
  const server = await startApiServer()
  const tls = await serverCertificate(join(folder, 'tls'), ['127.0.0.1', 'localhost'], Date.now())
  const port = await server.api.listenHttps('127.0.0.1', 0, tls)
  const config = join(folder, 'kubeconfig')
  await writeKubeconfig(config, { server: `https://127.0.0.1:${port}`, token: ADMIN, caPem: tls.caPem })
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: config, KUBE_EDITOR: 'sed -i s/edit-me/was-edited/' }
  const argv = (args: readonly string[], input = ''): Promise<Ran> => run(binary, args, env, input)
  return {
    server,
    argv,
    run: (line, input) => argv(line.split(' '), input),
    background: (line) => background(binary, line.split(' '), env),
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A kubectl of the suite at hand, and what it must say: it ends with 0. */
export function kubectlSuite(binary: string): { kubectl(): Kubectl; ok(line: string, says: RegExp, input?: string): Promise<void> } {
  let kubectl: Kubectl | null = null
  const made = (): Kubectl => {
    if (kubectl === null) throw new Error('kubectl is there once the suite has begun')
    return kubectl
  }
  beforeAll(async () => {
    kubectl = await kubectlAgainst(binary)
  })
  afterAll(async () => {
    await kubectl?.close()
  })
  return {
    kubectl: made,
    ok: async (line, says, input) => {
      const ran = await made().run(line, input)
      expect([line, ran.code, ran.err]).toEqual([line, 0, expect.any(String)])
      expect(ran.out).toMatch(says)
    },
  }
}

function run(binary: string, args: readonly string[], env: NodeJS.ProcessEnv, input: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 })
    const [out, err] = [collect(child.stdout), collect(child.stderr)]
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out: out(), err: err() }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

function background(binary: string, args: readonly string[], env: NodeJS.ProcessEnv): { output(): string; stop(): Promise<void> } {
  const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = collect(child.stdout)
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return {
    output: out,
    stop() {
      child.kill()
      return closed
    },
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
  })
  return () => text
}
