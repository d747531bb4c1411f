/** A test run that was killed leaves engines and cables behind; the next one must not be disturbed by them. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'
import { runOk } from './private-dockerd-sweep.ts'

const why = whyNoDockerd()
if (why !== null) console.warn(`abandoned engines: not run: ${why}`)

const LINK = { here: '10.211.98.1/30', there: '10.211.98.2/30' }

describe.skipIf(why !== null)('what a killed test run left', () => {
  let engine: PrivateDockerd | null = null
  afterEach(() => engine?.destroy())

  it('is ended by the next one, which may take its addresses', async () => {
    const left = await abandon()
    engine = await createPrivateDockerd({ link: LINK })
    expect([existsSync(left.dir), existsSync(path.join('/var/run/netns', left.netns))]).toEqual([false, false])
    const answer = await runOk('nsenter', [`--net=/var/run/netns/${engine.netns}`, 'busybox', 'ping', '-c', '1', '-W', '5', '10.211.98.1'])
    expect(answer).toContain('1 packets received')
  })
})

/** @returns where the engine of a process that was killed is */
async function abandon(): Promise<{ readonly dir: string; readonly netns: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'abandoned-engine-child.ts'), LINK.here, LINK.there])
  const line = await new Promise<string>((resolve, reject) => {
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('exit', () => reject(new Error(errors)))
  })
  const left = JSON.parse(line) as { readonly dir: string; readonly netns: string }
  expect(existsSync(left.dir)).toBe(true)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  return left
}
