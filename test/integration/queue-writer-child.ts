/** Appends batches to the real queue and prints each acknowledged number, until it is killed; now and then it acknowledges. */
import { writeSync } from 'node:fs'
import { nodeDisk } from '../../edge-agent/store/disk.ts'
import { SegmentLog } from '../../edge-agent/store/segment-log.ts'

const queue = new SegmentLog({ disk: nodeDisk, dir: process.argv[2] ?? '', maxBytes: 8 << 20, segmentBytes: 4_096 })
await queue.open()
for (;;) {
  const last = await queue.append(['a', 'b', 'c'].map((letter) => Buffer.from(letter.repeat(40))))
  writeSync(1, `${last}\n`)
  // what was sent may go: files are removed while others are written
  if (last % 50 === 0) await queue.ack(last - 30)
}
