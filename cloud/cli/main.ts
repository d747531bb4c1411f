/** The `skerry` command. Exit codes: 0 done, 1 failed, 2 usage, 3 cannot reach the cloud, 4 not allowed, 5 not found, 7 not placeable. */
import { parseArgs } from 'node:util'
import { apply, why } from './commands.ts'
import { call, findConnection, refuse } from './connection.ts'
import type { Answer, Connection } from './connection.ts'
import { device as deviceAct } from './device.ts'
import { enroll } from './enroll.ts'
import { plan } from './plan.ts'
import { rollout } from './rollout.ts'
import { scheduleFiles } from './schedule.ts'
import { topology } from './topology.ts'
import { isDeviceId } from '../../protocol/ids.ts'

const HELP = `skerry: what kubectl cannot say. Use kubectl for everything else, with the same kubeconfig.

  skerry join DEVICE              prints the join file for one device (give it to skerry-agent run --join FILE)
  skerry enroll [--max N] [--hours H] [--prefix gw] [-l site=kassel]   prints one file for many devices: each fetches its own with it
  skerry why POD [-n NAMESPACE] [--on NODE]   why a pod is not running, device by device, and what would help
  skerry topology NODE [-o json]  NUMA nodes, CPUs, who has them for itself, processes: the console's picture as a table
  skerry schedule --nodes FILE --pods FILE [-o json]   where pods would go, from Kubernetes JSON or YAML, with no cluster
  skerry rollout list | show NAME | members NAME [--wave N] [--verdict failed,offline]     where rollouts stand
  skerry rollout pause|resume|approve|promote|retry|exclude|rollback|abort NAME [--reason TEXT] [--wave N] [--resume]
                                  exclude takes --device NAME or -l SELECTOR; abort --keep lets devices that are done stay
  skerry device bundle NODE [-o FILE]         the device's diagnostics: state, logs and checks, without secrets (-o - = standard output)
  skerry device restart-agent NODE --reason TEXT   ends its agent in good order; its service starts it again, workloads keep running
  skerry plan -f FILE [-o json]   what a Rollout would do: who changes when, who is left out and why, what is pulled
  skerry apply -f FILE            create or change the objects of a YAML or JSON file
  skerry raise-epoch              after the store was restored from a backup: makes devices accept it again

  --kubeconfig FILE   (KUBECONFIG, default ~/.kube/config)      --server URL --token TOKEN   (SKERRY_SERVER, SKERRY_TOKEN)
`

async function main(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<number> {
  let parsed
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        kubeconfig: { type: 'string' },
        server: { type: 'string' },
        token: { type: 'string' },
        namespace: { type: 'string', short: 'n', default: 'default' },
        filename: { type: 'string', short: 'f' },
        on: { type: 'string' },
        nodes: { type: 'string' },
        pods: { type: 'string' },
        output: { type: 'string', short: 'o' },
        reason: { type: 'string' },
        wave: { type: 'string' },
        device: { type: 'string', multiple: true },
        selector: { type: 'string', short: 'l' },
        verdict: { type: 'string' },
        max: { type: 'string' },
        hours: { type: 'string' },
        prefix: { type: 'string' },
        keep: { type: 'boolean' },
        resume: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  const [verb, name] = positionals
  if (values.help === true || verb === undefined) {
    process.stdout.write(HELP)
    return verb === undefined && values.help !== true ? 2 : 0
  }
  if (verb === 'schedule') {
    if (values.nodes === undefined || values.pods === undefined) return usage('schedule needs --nodes FILE and --pods FILE')
    return scheduleFiles({ nodes: values.nodes, pods: values.pods, json: values.output === 'json', nowMs: Date.now() })
  }
  const found = findConnection({
    server: values.server ?? env['SKERRY_SERVER'],
    token: values.token ?? env['SKERRY_TOKEN'],
    kubeconfig: values.kubeconfig ?? env['KUBECONFIG'],
    home: env['HOME'],
  })
  if (!found.ok) return usage(found.why)
  try {
    if (verb === 'rollout') {
      const { namespace, reason, wave, device, selector, verdict, keep, resume } = values
      const given = { namespace, reason, wave, device, selector, verdict, keep, resume, json: values.output === 'json' }
      const done = await rollout(found.connection, { verb: name, name: positionals[2], ...given })
      return typeof done === 'string' ? usage(done) : done
    }
    if (verb === 'device') {
      const done = await deviceAct(found.connection, { verb: name, name: positionals[2], reason: values.reason, output: values.output })
      return typeof done === 'string' ? usage(done) : done
    }
    return await run(found.connection, verb, name, values)
  } catch (error) {
    process.stderr.write(`cannot reach ${found.connection.server}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 3
  }
}

async function run(
  connection: Connection,
  verb: string,
  name: string | undefined,
  values: {
    readonly namespace: string
    readonly filename?: string | undefined
    readonly on?: string | undefined
    readonly output?: string | undefined
    readonly max?: string | undefined
    readonly hours?: string | undefined
    readonly prefix?: string | undefined
    readonly selector?: string | undefined
  },
): Promise<number> {
  switch (verb) {
    case 'join':
      if (!isDeviceId(name)) return usage('join needs a device name: lower case letters, digits and "-", at most 63')
      return show(await call(connection, 'POST', `/skerry/v1/join/${name}`))
    case 'enroll':
      return enroll(connection, { max: values.max, hours: values.hours, prefix: values.prefix, labels: values.selector })
    case 'why':
      if (name === undefined) return usage('why needs the name of a pod')
      return why(connection, values.namespace, name, values.on)
    case 'topology':
      if (!isDeviceId(name)) return usage('topology needs the name of a device')
      return topology(connection, name, values.output === 'json')
    case 'apply':
      if (values.filename === undefined) return usage('apply needs -f FILE')
      return apply(connection, values.filename, values.namespace)
    case 'plan':
      if (values.filename === undefined) return usage('plan needs -f FILE with a Rollout')
      return plan(connection, values.filename, values.namespace, values.output === 'json')
    case 'raise-epoch':
      return show(await call(connection, 'POST', '/skerry/v1/raise-epoch'))
    default:
      return usage(`unknown command ${JSON.stringify(verb)}`)
  }
}

function show(answer: Answer): number {
  if (answer.status < 300) {
    process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`)
    return 0
  }
  return refuse(answer)
}

function usage(message: string): number {
  process.stderr.write(`skerry: ${message}\nSee skerry --help.\n`)
  return 2
}

process.exitCode = await main(process.argv.slice(2), process.env)
