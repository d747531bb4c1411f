/** `npm run testbed -- --gateways 3`: gateways, cloud and a prompt to cut and heal links, stop and start parts. */
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { whyNoDockerd } from '../test/integration/private-dockerd.ts'
import { buildAll } from './build.ts'
import { createTestbed } from './testbed/testbed.ts'
import type { Testbed } from './testbed/testbed.ts'

const HELP = `
  cut N | heal N              the cable between gateway N and the cloud
  stop|kill|start agent N     the agent of gateway N (kill is -9)
  stop|kill|start engine N    its container engine
  reboot N                    power off and on: containers, engine and agent
  stop|kill|start cloud
  ps [N]                      containers on the gateways
  kubectl ARGS…               e.g. kubectl get nodes,pods -o wide
  log agent N | log cloud     last lines
  help, quit
`

async function obey(bed: Testbed, line: string): Promise<string> {
  const [verb = '', ...rest] = line.trim().split(/\s+/)
  const numbered = rest.at(-1)
  const gateway = bed.gateways[Number(numbered) - 1]
  const needGateway = (): NonNullable<typeof gateway> => {
    if (gateway === undefined) throw new Error(`name a gateway from 1 to ${bed.gateways.length}`)
    return gateway
  }
  switch (verb) {
    case 'cut':
      await needGateway().cut()
      return 'cut'
    case 'heal':
      await needGateway().heal()
      return 'healed'
    case 'reboot':
      await needGateway().reboot()
      return 'rebooted'
    case 'ps':
      return (
        await Promise.all(
          bed.gateways.map(
            async (item) =>
              `${item.name}\n${(await item.containers()).map((c) => `  ${c.running ? 'up  ' : 'down'} ${c.image} ${c.name}`).join('\n')}`,
          ),
        )
      ).join('\n')
    case 'kubectl':
      return bed.cloud.kubectl(...rest)
    case 'log':
      return rest[0] === 'cloud' ? bed.cloud.child.tail() : needGateway().agent.tail()
    case 'stop':
    case 'kill':
    case 'start':
      return part(bed, verb, rest[0] ?? '', rest[0] === 'cloud' ? null : needGateway())
    case '':
      return ''
    default:
      return HELP
  }
}

async function part(bed: Testbed, verb: 'stop' | 'kill' | 'start', what: string, gateway: Testbed['gateways'][number] | null): Promise<string> {
  if (what === 'engine' && gateway !== null) await gateway.engine[verb]()
  else {
    const child = what === 'cloud' ? bed.cloud.child : what === 'agent' ? gateway?.agent : undefined
    if (child === undefined) throw new Error('name agent N, engine N or cloud')
    if (verb === 'start') child.start()
    else await child.stop(verb === 'kill' ? 'SIGKILL' : 'SIGTERM')
  }
  return 'done'
}

const { values } = parseArgs({
  options: { gateways: { type: 'string', default: '3' }, image: { type: 'string', multiple: true, default: ['busybox:1', 'busybox:2'] } },
})
const why = whyNoDockerd()
if (why !== null) {
  process.stderr.write(`testbed: cannot run here: ${why}\n`)
  process.exit(1)
}
await buildAll()
const bed = await createTestbed({ gateways: Number(values.gateways), images: values.image })
process.stdout.write(`testbed: ${bed.gateways.length} gateways, kubeconfig ${bed.cloud.kubeconfig}
`)
process.stdout.write(`console http://127.0.0.1:${bed.cloud.ports.http}/#token=${bed.cloud.token()}
${HELP}`)
const prompt = createInterface({ input: process.stdin, output: process.stdout })
prompt.on('SIGINT', () => prompt.close())
prompt.setPrompt('testbed> ')
prompt.prompt()
for await (const line of prompt) {
  if (/^(quit|exit)$/.test(line.trim())) break
  process.stdout.write(`${await obey(bed, line).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))}\n`)
  prompt.prompt()
}
await bed.destroy()
process.stdout.write('testbed: everything was stopped and removed\n')
process.exit(0)
