/**
 * Cuts a real file system off in the middle of writes and mounts it again. Runs in its own mount namespace:
 * `unshare -m --propagation private node … power-cut-child.ts <ext4|xfs> <cuts> <work dir> <state|queue|store>`; prints one JSON line.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { nodeDisk } from '../../edge-agent/store/disk.ts'
import { SegmentLog } from '../../edge-agent/store/segment-log.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { QUIET } from './store-writer.ts'

const [, , fs = 'ext4', cuts = '20', work = '', what = 'state'] = process.argv
const image = path.join(work, `${fs}.img`)
const mount = path.join(work, fs)
const dir = path.join(mount, 'state')
const run = (command: string, ...args: readonly string[]): void => void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })

/** numbers behind which a record that nobody had acknowledged was cut: the queue leaves a gap there, so that no number comes twice */
const cutShort = new Set<number>()

interface Acknowledged {
  readonly before: number
  readonly last: number
}

mkdirSync(mount)
writeFileSync(image, '')
truncateSync(image, fs === 'xfs' ? 320 << 20 : 64 << 20)
run(`mkfs.${fs}`, '-q', fs === 'xfs' ? '-f' : '-F', image)

const result = { fs, what, cuts: 0, acknowledged: 0, older: 0, raced: 0, unreadable: 0, fellBack: 0 }
for (let cut = 0; cut < Number(cuts); cut += 1) {
  run('mount', '-o', 'loop', image, mount)
  const acknowledged = await writeAndCut(cut)
  run('umount', mount)
  run('mount', '-o', 'loop', image, mount)
  result.cuts += 1
  result.acknowledged = acknowledged.last
  await (what === 'queue' ? lookAtQueue : what === 'store' ? lookAtStore : lookAtState)(acknowledged)
  run('umount', mount)
}
rmSync(image)
process.stdout.write(`${JSON.stringify(result)}\n`)

async function lookAtState({ before, last }: Acknowledged): Promise<void> {
  const loaded = await openStateStore(dir, { log: QUIET.log }).load()
  const found = loaded.kind === 'state' ? (loaded.state.desired?.generation ?? 0) : null
  if (found === null) result.unreadable += 1
  else if (found < before || found > last + 1) result.older += 1
  else if (found < last) result.raced += 1
  if (loaded.kind === 'state' && loaded.fellBack) result.fellBack += 1
}

/** the cloud's store: every number up to the acknowledged one is there, and its revision counts on */
async function lookAtStore({ before, last }: Acknowledged): Promise<void> {
  const store = openSqliteStore(path.join(dir, 'store.db'), QUIET)
  const list = await store.list('things')
  const revision = await store.revision()
  await store.close()
  const found = new Set(list.ok ? list.items.map(({ name }) => name) : [])
  let newest = 0
  while (found.has(`n${newest + 1}`)) newest += 1
  if (revision !== found.size || newest !== found.size) result.unreadable += 1
  if (newest < before) result.older += 1
  else if (newest < last) result.raced += 1
}

/** every number that was appended and not acknowledged by the reader is there once, in order, with its own bytes */
async function lookAtQueue({ before, last }: Acknowledged): Promise<void> {
  const queue = new SegmentLog({ disk: nodeDisk, dir, maxBytes: 8 << 20 })
  await queue.open()
  const records = await queue.read(0, 1_000_000)
  const seqs = records.map((record) => record.seq)
  const right = records.every(({ payload }) => /^(a+|b+|c+)$/.test(Buffer.from(payload).toString('utf8')) && payload.byteLength === 40)
  const follows = (seq: number, before: number): boolean => seq === before + 1 || (seq > before && cutShort.has(before))
  if (!right || seqs.some((seq, index) => index > 0 && !follows(seq, seqs[index - 1] ?? 0))) result.unreadable += 1
  const newest = seqs.at(-1) ?? 0
  if (newest < before) result.older += 1
  else if (newest < last) result.raced += 1
  // a record behind the last acknowledged one may be cut: that is what `damaged` counts
  if (queue.stats().damaged === 0) return
  result.fellBack += 1
  cutShort.add(newest)
}

/**
 * Answers the last number that was acknowledged before the cut began, and the last one at all. The shutdown call is not one
 * moment, and the writer goes on during it, which no power cut allows; even so nothing that it acknowledged then may be lost.
 * See `syncForSure` in the agent's disk.
 */
async function writeAndCut(cut: number): Promise<Acknowledged> {
  const script = path.join(import.meta.dirname, `${what}-writer-child.ts`)
  const writer = spawn(process.execPath, ['--import', 'tsx', script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  const ended = new Promise<void>((resolve) => writer.once('close', () => resolve()))
  const begun = new Promise<void>((resolve) =>
    writer.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      resolve()
    }),
  )
  await Promise.race([begun, ended])
  await sleep(20 + ((cut * 37) % 150))
  const before = lastOf(text)
  // with and without the journal reaching the disk
  run('xfs_io', '-x', '-c', cut % 2 === 0 ? 'shutdown' : 'shutdown -f', mount)
  writer.kill('SIGKILL')
  await ended
  return { before, last: lastOf(text) }
}

function lastOf(text: string): number {
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) ?? 0)
}
