/**
 * What the agent was told: command line, environment, join file. The only reader of process.argv and process.env in the
 * agent. Every error names the flag, what was found and what is expected.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isDeviceId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import { LINK_WISH } from '../protocol/link.ts'
import { int, list, obj, oneOf, parse, required, str } from '../protocol/shape.ts'
import type { Infer } from '../protocol/shape.ts'

/** Written by `skerry join DEVICE`: who this device is, where its cloud is and whom it believes. */
export const JOIN_FILE = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  tenant: required(str({ min: 1, max: 63 })),
  broker: required(str({ min: 1, max: 2048 })),
  username: str({ max: 256 }),
  password: str({ max: 4096 }),
  ca: str({ max: 65_536 }),
  /** PIN of the device page; absent = made at the first start, see `skerry-agent pin` */
  pagePin: str({ pattern: /^\d{4,16}$/, says: '4 to 16 digits' }),
  /** who may see how the device stands without the PIN: everybody (summary), or nobody (pin) */
  pageRead: oneOf('summary', 'pin'),
  /** where live sessions are opened to; `ca` is the authority of its certificate, absent = the system's */
  cloud: obj({ url: required(str({ min: 1, max: 2048 })), ca: str({ max: 65_536 }) }),
  /** the link costs money: at most so much a day, then events are sent seldom; absent = no end */
  dataBudget: obj({ dayBytes: required(int(65_536)) }),
  /** what the link costs and how seldom it may be pinged; absent = by dataBudget, then by what the device is connected with */
  link: LINK_WISH,
  trustedKeys: required(list(obj({ kid: required(str({ min: 1, max: 64 })), publicPem: required(str({ min: 1, max: 4096 })) }), { max: 16 })),
})
export type JoinFile = Infer<typeof JOIN_FILE>

export interface RunConfig {
  readonly stateDir: string
  readonly join: JoinFile
  readonly dockerSocket: string
  /** null = no page */
  readonly page: { readonly host: string; readonly port: number } | null
  readonly cloud: boolean
  /** descriptor of a listening socket that systemd opened for the page */
  readonly pageFd: number | null
  /** names of proxy variables that are set */
  readonly proxies: readonly string[]
  /** may the cloud open exec, attach and port-forward, and restart the agent? logs and diagnostics it may always read */
  readonly remoteExec: boolean
  /** folder whose /proc and /sys tell the hardware; other than / only in tests and demonstrations */
  readonly hardwareRoot: string
  /** folder whose traces tell whether the clock is right; other than / only in tests (SKERRY_CLOCK_ROOT) */
  readonly clockRoot: string
  /** what TZ says; null = it is not set, and the host's files say it */
  readonly timeZone: string | null
  /** where the launcher found this agent; null = it was started by hand (SKERRY_SLOT) */
  readonly slot: string | null
  /** whoever started this agent starts it again when it ends (SKERRY_SUPERVISED=1, set by the systemd unit) */
  readonly supervised: boolean
  /** how long a new agent runs before it is good; other than the limit only in tests (SKERRY_SETTLE_MS) */
  readonly settleMs: number
}

export type Command =
  | { readonly kind: 'run'; readonly config: RunConfig }
  | { readonly kind: 'inventory'; readonly root: string; readonly output: 'json' | 'table' }
  | { readonly kind: 'pin'; readonly config: RunConfig }
  | { readonly kind: 'bundle'; readonly config: RunConfig; readonly file: string }
  | { readonly kind: 'rescue'; readonly stateDir: string; readonly page: NonNullable<RunConfig['page']>; readonly fd: number | null }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const HELP = `skerry-agent makes this machine's container engine run what the cloud asked for.

  skerry-agent run [flags]        run the agent
    --state DIR                   where its state is kept         (SKERRY_STATE, default /var/lib/skerry-agent)
    --join FILE                   made by "skerry join DEVICE"    (SKERRY_JOIN, default STATE/join.json)
    --docker SOCKET               the engine's unix socket        (SKERRY_DOCKER, default /var/run/docker.sock)
    --page HOST:PORT | off        the field page                  (SKERRY_PAGE, default 127.0.0.1:8090; 0.0.0.0:8090 for the local network)
    --no-cloud                    run what is saved and connect nowhere  (SKERRY_NO_CLOUD=1)
    --no-remote-exec              nobody may exec, attach, forward ports or restart the agent through the cloud  (SKERRY_NO_REMOTE_EXEC=1)
    --hardware-root DIR           tell of the hardware copied below DIR; for tests and demonstrations (default /)
  skerry-agent inventory          print what the hardware is
    --root DIR                    read another root folder than /
    -o json|table                 default table
  skerry-agent pin                print the PIN of the device page (flags of run)
  skerry-agent bundle [FILE]      save diagnostics without secrets (flags of run)
  skerry-agent rescue             say on the page why the agent is down (--state, --page)
  skerry-agent version
  skerry-agent --help
`

/** What this process was started with. */
export function readCommand(): Command {
  return parseCommand(process.argv.slice(2), process.env)
}

/** Errors are values: `wrong` has the message. Reads the join file. */
export function parseCommand(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  try {
    const [word = '--help', ...rest] = argv
    switch (word) {
      case 'run':
        return { kind: 'run', config: runConfig(rest, env) }
      case 'inventory':
        return inventoryCommand(rest)
      case 'pin':
        return { kind: 'pin', config: runConfig(rest, env) }
      case 'bundle':
        return bundleCommand(rest, env)
      case 'rescue':
        return rescueCommand(rest, env)
      case 'version':
      case '--version':
        return { kind: 'version' }
      case 'help':
      case '--help':
      case '-h':
        return { kind: 'help' }
      default:
        throw new ConfigError(`there is no command ${JSON.stringify(word)}; it is one of run, inventory, pin, bundle, rescue, version`)
    }
  } catch (error) {
    if (error instanceof ConfigError || isArgsError(error)) return { kind: 'wrong', message: error.message }
    throw error
  }
}

class ConfigError extends Error {}

/** parseArgs throws TypeErrors with such codes and good messages. */
function isArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

function runConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): RunConfig {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      state: { type: 'string' },
      join: { type: 'string' },
      docker: { type: 'string' },
      page: { type: 'string' },
      'no-cloud': { type: 'boolean' },
      'no-remote-exec': { type: 'boolean' },
      'hardware-root': { type: 'string' },
    },
    allowPositionals: false,
  })
  const stateDir = given('--state', values.state ?? env['SKERRY_STATE'] ?? '/var/lib/skerry-agent')
  return {
    stateDir,
    join: readJoinFile(given('--join', values.join ?? env['SKERRY_JOIN'] ?? join(stateDir, 'join.json'))),
    dockerSocket: socketPath(given('--docker', values.docker ?? env['SKERRY_DOCKER'] ?? '/var/run/docker.sock')),
    page: pageAddress(values.page ?? env['SKERRY_PAGE'] ?? '127.0.0.1:8090'),
    pageFd: inheritedSocket(env),
    proxies: ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].filter((name) => (env[name] ?? env[name.toLowerCase()] ?? '') !== ''),
    cloud: !(values['no-cloud'] ?? env['SKERRY_NO_CLOUD'] === '1'),
    remoteExec: !(values['no-remote-exec'] ?? env['SKERRY_NO_REMOTE_EXEC'] === '1'),
    hardwareRoot: given('--hardware-root', values['hardware-root'] ?? '/'),
    clockRoot: env['SKERRY_CLOCK_ROOT'] ?? '/',
    timeZone: env['TZ'] ?? null,
    slot: env['SKERRY_SLOT'] ?? null,
    supervised: env['SKERRY_SUPERVISED'] === '1',
    settleMs: Number(env['SKERRY_SETTLE_MS'] ?? LIMITS.agentSettleMs.value),
  }
}

/** The first descriptor that systemd passes (sd_listen_fds); the variables of another process mean nothing. */
function inheritedSocket(env: Readonly<Record<string, string | undefined>>): number | null {
  return env['LISTEN_FDS'] === '1' && env['LISTEN_PID'] === String(process.pid) ? 3 : null
}

function bundleCommand(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  const first = argv[0]
  const named = first !== undefined && !first.startsWith('-')
  return { kind: 'bundle', config: runConfig(named ? argv.slice(1) : argv, env), file: named ? first : 'skerry-bundle.json.gz' }
}

/** Reads no join file: it may be what is broken. */
function rescueCommand(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  const { values } = parseArgs({ args: [...argv], options: { state: { type: 'string' }, page: { type: 'string' } }, allowPositionals: false })
  const page = pageAddress(values.page ?? env['SKERRY_PAGE'] ?? '127.0.0.1:8090') ?? { host: '127.0.0.1', port: 8090 }
  const stateDir = given('--state', values.state ?? env['SKERRY_STATE'] ?? '/var/lib/skerry-agent')
  return { kind: 'rescue', stateDir, page, fd: inheritedSocket(env) }
}

function inventoryCommand(argv: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...argv],
    options: { root: { type: 'string' }, output: { type: 'string', short: 'o' } },
    allowPositionals: false,
  })
  const output = values.output ?? 'table'
  if (output !== 'json' && output !== 'table') throw new ConfigError(`-o is ${JSON.stringify(output)}; it is json or table`)
  return { kind: 'inventory', root: given('--root', values.root ?? '/'), output }
}

function given(flag: string, value: string): string {
  if (value === '') throw new ConfigError(`${flag} is empty; give it a path`)
  return value
}

function socketPath(value: string): string {
  const path = value.startsWith('unix://') ? value.slice('unix://'.length) : value
  if (!path.startsWith('/'))
    throw new ConfigError(`--docker is ${JSON.stringify(value)}; it must be the path of a unix socket such as /var/run/docker.sock`)
  return path
}

/** `HOST:PORT`, `[::1]:PORT` or `off`. */
function pageAddress(value: string): RunConfig['page'] {
  if (value === 'off') return null
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port <= 65_535))
    throw new ConfigError(`--page is ${JSON.stringify(value)}; it must be HOST:PORT, such as 127.0.0.1:8090, or off`)
  return { host, port }
}

function readJoinFile(path: string): JoinFile {
  const how = 'make one with: skerry join DEVICE'
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // JSON errors quote the text, and the text holds a password
    const why = error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error)
    throw new ConfigError(`--join ${path} cannot be read: ${why}; ${how}`)
  }
  const parsed = parse(JOIN_FILE, value)
  if (!parsed.ok) {
    throw new ConfigError(`--join ${path} is not a join file: ${parsed.issues.map((issue) => `${issue.path} (${issue.kind})`).join(', ')}; ${how}`)
  }
  const { device, tenant, broker, cloud } = parsed.value
  if (!isDeviceId(device) || !isDeviceId(tenant))
    throw new ConfigError(`--join ${path}: device and tenant must be lower case letters, digits and "-"; ${how}`)
  if (!/^(mqtts?|wss?):\/\/[^/]/.test(broker)) throw new ConfigError(`--join ${path}: broker must be a URL such as mqtt://cloud.example:1883; ${how}`)
  if (cloud !== undefined && !isCloudUrl(cloud.url)) throw new ConfigError(`--join ${path}: cloud.url must be https://HOST:PORT; ${how}`)
  return parsed.value
}

/** A token travels there: in clear only on this machine itself. */
function isCloudUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && /^(127\.[\d.]+|localhost|\[::1\])$/.test(url.hostname))
}
