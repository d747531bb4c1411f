/** Makes an engine with a cable, says so, and waits to be killed: see abandoned-engine.test.ts. */
import { createPrivateDockerd } from './private-dockerd.ts'

const [here = '', there = ''] = process.argv.slice(2)
const engine = await createPrivateDockerd({ link: { here, there } })
process.stdout.write(`${JSON.stringify({ dir: engine.dir, netns: engine.netns })}\n`)
setInterval(() => undefined, 60_000)
