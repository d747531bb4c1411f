/** The sandbox's program: made by us for each processor, so each one is run, here or under qemu, where that is there. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pauseArchive, pauseProgram } from '../edge-agent/engine/pause-program.ts'

const OWN = process.arch === 'x64' ? 'amd64' : process.arch
const QEMU: Readonly<Record<string, string>> = { amd64: 'x86_64', 386: 'i386', arm64: 'aarch64', arm: 'arm', riscv64: 'riscv64' }

describe('the sandbox program', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'skerry-pause-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  for (const arch of ['amd64', '386', 'arm64', 'arm', 'riscv64']) {
    const qemu = `/usr/bin/qemu-${QEMU[arch] ?? ''}-static`
    it.skipIf(arch !== OWN && !existsSync(qemu))(`waits until it is killed (${arch})`, async () => {
      const file = join(dir, arch)
      writeFileSync(file, pauseProgram(arch) ?? '', { mode: 0o755 })
      const child = arch === OWN ? spawn(file) : spawn(qemu, [file])
      const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
      // a program that the processor does not take ends at once with a signal of its own
      expect(await Promise.race([ended, sleep(150, 'still there')])).toBe('still there')
      // a signal wakes the call: it must go back to it (a stop and a go-on wake it without a handler)
      child.kill('SIGSTOP')
      child.kill('SIGCONT')
      expect(await Promise.race([ended, sleep(50, 'still there')])).toBe('still there')
      child.kill('SIGKILL')
      expect(await ended).toBe('SIGKILL')
    })
  }

  it('is not made for a processor that is not known', () => {
    expect(pauseProgram('s390x')).toBeNull()
    expect(pauseProgram('constructor')).toBeNull()
  })

  it('is packed as a tar archive of whole blocks', () => {
    const program = pauseProgram('arm64') ?? Buffer.alloc(0)
    const archive = pauseArchive(program)
    expect(archive.length % 512).toBe(0)
    expect(archive.subarray(512, 512 + program.length).equals(program)).toBe(true)
    expect(archive.toString('latin1', 257, 262)).toBe('ustar')
  })
})
