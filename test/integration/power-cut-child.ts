/**
 * Cuts a real file system off in the middle of saves and mounts it again. Runs in its own mount namespace:
 * `unshare -m --propagation private node … power-cut-child.ts <ext4|xfs> <cuts> <work dir>`; prints one JSON line.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStateStore } from '../../edge-agent/store/state-store.ts'

const [, , fs = 'ext4', cuts = '20', work = ''] = process.argv
const image = path.join(work, `${fs}.img`)
const mount = path.join(work, fs)
const dir = path.join(mount, 'state')
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const run = (command: string, ...args: readonly string[]): void => void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })

mkdirSync(mount)
writeFileSync(image, '')
truncateSync(image, fs === 'xfs' ? 320 << 20 : 64 << 20)
run(`mkfs.${fs}`, '-q', fs === 'xfs' ? '-f' : '-F', image)

const result = { fs, cuts: 0, acknowledged: 0, older: 0, unreadable: 0, fellBack: 0 }
for (let cut = 0; cut < Number(cuts); cut += 1) {
  run('mount', '-o', 'loop', image, mount)
  const acknowledged = await writeAndCut(cut)
  run('umount', mount)
  run('mount', '-o', 'loop', image, mount)
  const loaded = await openStateStore(dir, { log: quiet }).load()
  const found = loaded.kind === 'state' ? (loaded.state.desired?.generation ?? 0) : null
  result.cuts += 1
  result.acknowledged = acknowledged
  if (found === null) result.unreadable += 1
  else if (found < acknowledged || found > acknowledged + 1) result.older += 1
  if (loaded.kind === 'state' && loaded.fellBack) result.fellBack += 1
  run('umount', mount)
}
rmSync(image)
process.stdout.write(`${JSON.stringify(result)}\n`)

/** answers the last number that was acknowledged before the cut */
async function writeAndCut(cut: number): Promise<number> {
  const script = path.join(import.meta.dirname, 'state-writer-child.ts')
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
  // with and without the journal reaching the disk
  run('xfs_io', '-x', '-c', cut % 2 === 0 ? 'shutdown' : 'shutdown -f', mount)
  writer.kill('SIGKILL')
  await ended
  return Number(text.trimEnd().split('\n').at(-1) ?? 0)
}
