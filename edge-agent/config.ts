/**
 * What the agent was told: command line and environment. The only reader of process.argv and process.env in the
 * agent. Every error names the flag, what was found and what is expected.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LIMITS } from '../protocol/limits.ts'
import { JoinError, readJoinFile } from './join-file.ts'
import type { JoinFile } from './join-file.ts'

export interface RunConfig {
  readonly stateDir: string
  /** a folder below /run that outlives the agent, from systemd (RUNTIME_DIRECTORY); null = the agent finds one itself */
  readonly runtimeDir: string | null
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
  | Unjoined
  | { readonly kind: 'inventory'; readonly root: string; readonly output: 'json' | 'table' }
  | { readonly kind: 'pin'; readonly config: RunConfig }
  | { readonly kind: 'bundle'; readonly config: RunConfig; readonly file: string }
  | { readonly kind: 'rescue'; readonly stateDir: string; readonly page: NonNullable<RunConfig['page']>; readonly fd: number | null }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

/** A service without a join file that can be used: not wrong, it may come. */
export interface Unjoined {
  readonly kind: 'unjoined'
  readonly why: string
  readonly stateDir: string
  readonly joinFile: string
  readonly hardwareRoot: string
  readonly page: RunConfig['page']
  readonly fd: number | null
}

export const HELP = `skerry-agent makes this machine's container engine run what the cloud asked for.

  skerry-agent run [flags]        run the agent
    --state DIR                   where its state is kept         (SKERRY_STATE, default /var/lib/skerry-agent)
    --join FILE                   made by "skerry join DEVICE", or "skerry enroll" for many  (SKERRY_JOIN, default STATE/join.json)
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

type Environment = Readonly<Record<string, string | undefined>>

/** What this process was started with. */
export function readCommand(): Command {
  return parseCommand(process.argv.slice(2), process.env)
}

/** Errors are values: `wrong` has the message. Reads the join file. */
export function parseCommand(argv: readonly string[], env: Environment): Command {
  try {
    const [word = '--help', ...rest] = argv
    switch (word) {
      case 'run':
        return runCommand(rest, env)
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
    if (error instanceof ConfigError || error instanceof JoinError || isArgsError(error)) return { kind: 'wrong', message: error.message }
    throw error
  }
}

class ConfigError extends Error {}

/** parseArgs throws TypeErrors with such codes and good messages. */
function isArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

/** Whoever starts it by hand is told what is wrong; a service waits for the file, and says so on its page. */
function runCommand(argv: readonly string[], env: Environment): Command {
  const { joinFile, ...options } = runOptions(argv, env)
  try {
    return { kind: 'run', config: { ...options, join: readJoinFile(joinFile) } }
  } catch (error) {
    if (!(error instanceof JoinError) || !options.supervised) throw error
    const { stateDir, hardwareRoot, page, pageFd: fd } = options
    return { kind: 'unjoined', why: error.message, stateDir, joinFile, hardwareRoot, page, fd }
  }
}

function runConfig(argv: readonly string[], env: Environment): RunConfig {
  const { joinFile, ...options } = runOptions(argv, env)
  return { ...options, join: readJoinFile(joinFile) }
}

function runOptions(argv: readonly string[], env: Environment): Omit<RunConfig, 'join'> & { readonly joinFile: string } {
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
    runtimeDir: env['RUNTIME_DIRECTORY']?.split(':')[0] ?? null,
    joinFile: given('--join', values.join ?? env['SKERRY_JOIN'] ?? join(stateDir, 'join.json')),
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
function inheritedSocket(env: Environment): number | null {
  return env['LISTEN_FDS'] === '1' && env['LISTEN_PID'] === String(process.pid) ? 3 : null
}

function bundleCommand(argv: readonly string[], env: Environment): Command {
  const first = argv[0]
  const named = first !== undefined && !first.startsWith('-')
  return { kind: 'bundle', config: runConfig(named ? argv.slice(1) : argv, env), file: named ? first : 'skerry-bundle.json.gz' }
}

/** Reads no join file: it may be what is broken. */
function rescueCommand(argv: readonly string[], env: Environment): Command {
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
