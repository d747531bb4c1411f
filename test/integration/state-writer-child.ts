/** Saves one state after another with the real store and prints each acknowledged number, until it is killed. */
import { writeSync } from 'node:fs'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { desiredDigest } from '../../protocol/desired-state.ts'

const dir = process.argv[2] ?? ''
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const store = openStateStore(dir, { log: quiet })
const loaded = await store.load()
const first = loaded.kind === 'state' ? (loaded.state.desired?.generation ?? 0) : 0
for (let generation = first + 1; ; generation += 1) {
  const desired = { device: 'gw-1', epoch: 1, generation, issuedAt: 'x'.repeat(40), digest: desiredDigest([]), pods: [] }
  await store.save({ desired, floor: { epoch: 1, generation }, ledger: {} }, { epoch: 1, generation })
  writeSync(1, `${generation}\n`)
}
