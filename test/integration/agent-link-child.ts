/** An agent's link in a process of its own, to be killed: `agent-link-child.ts <url> <device> <sid>`; prints each link state. */
import { createMqttLink } from '../../edge-agent/link/mqtt-link.ts'
import { realClock, realRandom } from '../fakes/real-time.ts'

const [, , url = '', device = '', sid = ''] = process.argv
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
createMqttLink({ url, tenant: 'default', device, sid, trusted: [] }, { clock: realClock, random: realRandom, log }).start({
  onTarget: () => undefined,
  onTargetRefused: () => undefined,
  onReportAsked: () => undefined,
  onState: (state) => void process.stdout.write(`${state.kind}\n`),
  hello: () => ({ device, sid, agentVersion: '0', formats: [1], epoch: 0, generation: 0, digest: '' }),
})
