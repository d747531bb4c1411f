/** Holds many pretend devices in one process, for `npm run fleet`. Started and asked by scripts/fleet/workers.ts. */
import { DEFAULT_TENANT } from '../protocol/topics.ts'
import { Prng } from '../test/sim/prng.ts'
import { BareClients } from './fleet/bare-clients.ts'
import type { Answer, Ask, Envelope } from './fleet/messages.ts'
import { PretendDevice } from './fleet/pretend-device.ts'

const devices = new Map<string, PretendDevice>()
const bare = new BareClients(DEFAULT_TENANT)

async function answer(ask: Ask): Promise<Answer> {
  switch (ask.kind) {
    case 'add':
      for (const { name, join, temper, seed } of ask.devices) {
        const device = new PretendDevice(name, join, temper, new Prng(seed))
        devices.set(name, device)
        device.boot()
      }
      break
    case 'connect':
      ask.names.forEach((name, index) => setTimeout(() => devices.get(name)?.connect(), (index * ask.overMs) / ask.names.length))
      break
    case 'cut':
      await Promise.all(ask.names.map((name) => devices.get(name)?.cut() ?? Promise.resolve()))
      break
    case 'mark':
      for (const device of devices.values()) device.mark()
      break
    case 'look':
      return { kind: 'looks', looks: [...devices.values()].map((device) => device.look()) }
    case 'progress': {
      const progress = { up: 0, converged: 0, beyond: 0 }
      for (const device of devices.values()) device.addProgress(progress)
      return { kind: 'progress', progress }
    }
    case 'traffic': {
      const traffic = { messages: { up: 0, down: 0 }, bytes: { up: 0, down: 0 } }
      for (const device of devices.values()) device.addTraffic(traffic)
      return { kind: 'traffic', traffic }
    }
    case 'bare':
      await bare.run(ask.run)
      break
  }
  return { kind: 'done' }
}

process.on('message', ({ id, body }: Envelope<Ask>) => {
  answer(body)
    .catch((error: unknown): Answer => ({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
    .then((result) => process.send?.({ id, body: result } satisfies Envelope<Answer>))
    .catch(() => process.exit(1))
})
// the parent is gone: so is the fleet
process.on('disconnect', () => process.exit(0))
