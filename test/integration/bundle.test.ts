/** The bundle as it is flashed: one file, nothing beside it, on the oldest Node it promises and on ours. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGENT_BUNDLE, BUNDLE_BYTES_MAX } from '../../scripts/build-agent.ts'
import { buildOnce } from './build-once.ts'

/** Start budget, as what is loaded and not as time: each of these costs megabytes or starts something, and is needed only later or never. */
const NOT_AT_START = ['https', 'tls', 'http2', 'zlib', 'inspector', 'repl', 'worker_threads', 'dgram', 'cluster']

const PRINT_LOADED = `
const Module = require('node:module')
const load = Module._load
const seen = new Set()
Module._load = function (request, ...rest) {
  seen.add(String(request).replace('node:', ''))
  return load.call(this, request, ...rest)
}
process.on('exit', () => process.stderr.write(JSON.stringify([...seen])))
`

const nodes = [process.execPath, ...['/usr/bin/node', '/usr/local/bin/node'].filter((file) => existsSync(file))]
const versions = new Map(nodes.map((file) => [execFileSync(file, ['--version'], { encoding: 'utf8' }).trim(), file]))

describe('the agent bundle', () => {
  let dir = ''
  let bundle = ''
  beforeAll(async () => {
    await buildOnce()
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-bundle-'))
    bundle = path.join(dir, 'agent.cjs')
    copyFileSync(AGENT_BUNDLE, bundle)
    writeFileSync(path.join(dir, 'loaded.cjs'), PRINT_LOADED)
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('keeps its size budget and holds no native or stubbed part', () => {
    expect(statSync(bundle).size).toBeLessThanOrEqual(BUNDLE_BYTES_MAX)
    const text = readFileSync(bundle, 'utf8')
    for (const unwanted of ['sshcrypto.node', 'cpufeatures.node', 'grpc-js', 'protobuf.js']) expect(text).not.toContain(unwanted)
  })

  it.each([...versions])('runs alone on Node %s', (_version, node) => {
    expect(execFileSync(node, [bundle, 'version'], { cwd: dir, encoding: 'utf8' })).toMatch(/^skerry-agent \d+\.\d+\.\d+\n$/)
    const inventory: unknown = JSON.parse(execFileSync(node, [bundle, 'inventory', '-o', 'json'], { cwd: dir, encoding: 'utf8' }))
    expect(inventory).toMatchObject({ topology: { threads: expect.any(Number) as number } })
    const kib = Number(/^MemTotal: +(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
    // the memory reader runs on parts of the bundler's making
    expect(inventory).toMatchObject({ memory: { totalBytes: kib * 1024 } })
  })

  it('loads nothing at start that it may never need', () => {
    const child = execFileSync('sh', ['-c', '"$0" --require ./loaded.cjs agent.cjs version 2>loaded.json', process.execPath], {
      cwd: dir,
      encoding: 'utf8',
    })
    expect(child).toContain('skerry-agent')
    const loaded = JSON.parse(readFileSync(path.join(dir, 'loaded.json'), 'utf8')) as readonly string[]
    expect(loaded.filter((name) => NOT_AT_START.includes(name))).toEqual([])
  })

  it('says what is wrong with its flags', () => {
    expect(() => execFileSync(process.execPath, [bundle, 'run', '--stat', 'x'], { stdio: 'pipe' })).toThrow(/--stat/)
  })
})
