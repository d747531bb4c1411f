import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createCause, isNameConflict, pullCause, readCause, readFailure, startCause } from '../edge-agent/engine/docker-failures.ts'
import { pullImage } from '../edge-agent/engine/image-pull.ts'

const AROUND = { limitMs: 15_000, since: '2026-01-01T00:00:00.000Z' }
const LIMITS = { stallMs: 5_000, totalMs: 10_000 }

function http(statusCode: number, message: string): ReturnType<typeof readFailure> {
  return readFailure({ statusCode, json: { message }, message: `(HTTP code ${statusCode}) x - ${message} ` })
}

function lines(...values: readonly unknown[]): Readable {
  return Readable.from(values.map((value) => Buffer.from(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`)))
}

function silent(): Readable {
  return new Readable({ read: () => {} })
}

function pull(stream: Readable, signal = new AbortController().signal, limits = LIMITS): ReturnType<typeof pullImage> {
  return pullImage(() => Promise.resolve(stream), 'x:1', signal, limits)
}

describe('engine errors to causes', () => {
  it.each([
    ['driver failed programming external connectivity on endpoint bb (bfee): Bind for 0.0.0.0:8080 failed: port is already allocated', '8080'],
    ['Error starting userland proxy: listen tcp4 0.0.0.0:8081: bind: address already in use', '8081'],
    ['Bind for :::443 failed: port is already allocated', '443'],
    ['rootlessport listen tcp 0.0.0.0:80: bind: address already in use', '80'],
  ])('start: %s', (text, port) => {
    expect(startCause(http(500, text), AROUND)).toEqual({ code: 'container.start.port-taken', facts: { port } })
  })

  it("keeps the engine's words where it knows no better", () => {
    const text = 'failed to create shim task: OCI runtime create failed: exec: "/nope": stat /nope: no such file or directory: unknown'
    expect(startCause(http(400, text), AROUND)).toEqual({ code: 'container.start.failed', facts: { why: text } })
    expect(createCause(http(400, 'Requested CPUs are not available - requested 99, available: 0-1'), AROUND).facts['why']).toContain('requested 99')
  })

  it.each([
    ['manifest for busybox:nope not found: manifest unknown: manifest unknown', 'image.pull.not-found'],
    ["pull access denied for nosuch, repository does not exist or may require 'docker login': denied", 'image.pull.denied'],
    ['Get "https://reg/v2/": unauthorized: authentication required', 'image.pull.denied'],
    ['failed to register layer: Error processing tar file(exit status 1): write /x: no space left on device', 'image.pull.disk-full'],
    ['Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host', 'image.pull.failed'],
    ['Get "https://nosuch.invalid/v2/": dial tcp: lookup nosuch.invalid: network is unreachable', 'image.pull.failed'],
    ['toomanyrequests: You have reached your pull rate limit', 'image.pull.failed'],
  ])('pull: %s', (text, code) => {
    expect(pullCause(http(500, text), 'x:1', AROUND).code).toBe(code)
  })

  it('tells an engine that is away from one that refuses', () => {
    const refused = readFailure(Object.assign(new Error('connect ECONNREFUSED /run/docker.sock'), { code: 'ECONNREFUSED' }))
    expect(readCause(refused, 'list', AROUND)).toMatchObject({ code: 'engine.unreachable', facts: { since: AROUND.since } })
    expect(startCause(readFailure({ code: 'TIMEOUT', message: 'x' }), AROUND)).toEqual({
      code: 'engine.timeout',
      facts: { seconds: '15', call: 'start' },
    })
    expect(readCause(http(500, 'layer not known'), 'list', AROUND)).toEqual({ code: 'engine.error', facts: { why: 'layer not known' } })
  })

  it('knows a name conflict from other conflicts', () => {
    expect(isNameConflict(http(409, 'Conflict. The container name "/aa" is already in use by container "f1f". You have to remove it'))).toBe(true)
    expect(isNameConflict(http(409, 'removal of container f1f is already in progress'))).toBe(false)
  })

  it('cuts long texts', () => {
    expect(readFailure(new Error('x'.repeat(5_000))).text.length).toBeLessThanOrEqual(1_024)
  })
})

describe('following a pull', () => {
  it('ends well at the end of the stream', async () => {
    expect(await pull(lines({ status: 'Pulling' }, { status: 'Done' }))).toBeNull()
  })

  it('finds the error that comes after a 200, among lines that are not JSON', async () => {
    const stream = lines({ status: 'Pulling' }, 'not json', { error: 'no space left on device', errorDetail: {} })
    expect(await pull(stream)).toMatchObject({ text: 'no space left on device' })
  })

  it('is over when the connection breaks, when it stalls and when it is called off', async () => {
    const broken = silent()
    const cut = pull(broken)
    setImmediate(() => broken.destroy())
    expect(await cut).toMatchObject({ text: 'the engine closed the connection' })
    expect(await pull(silent(), new AbortController().signal, { stallMs: 5, totalMs: 5_000 })).toMatchObject({ code: 'STALLED' })
    expect(await pull(silent(), AbortSignal.abort())).toMatchObject({ code: 'ABORTED' })
  })

  it('never asks for every tag', async () => {
    const asked: string[] = []
    for (const image of ['a', 'reg:5000/a', 'a:1', 'a@sha256:1']) {
      await pullImage(
        (reference) => {
          asked.push(reference)
          return Promise.resolve(lines())
        },
        image,
        new AbortController().signal,
        LIMITS,
      )
    }
    expect(asked).toEqual(['a:latest', 'reg:5000/a:latest', 'a:1', 'a@sha256:1'])
  })
})
