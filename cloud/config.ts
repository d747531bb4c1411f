/** The only reader of process.env and flags in the cloud: everything else gets one checked `Config`. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { isDnsLabel } from '../protocol/ids.ts'
import { DEFAULT_TENANT } from '../protocol/topics.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** of a certificate and its key */
export interface PairFiles {
  readonly cert: string
  readonly key: string
}

export interface Config {
  /** everything durable: store, keys, certificates, tokens */
  readonly dataDir: string
  /** the API for kubectl and devices' tools */
  readonly https: Address
  /** plain HTTP for the console and local tools; loopback unless asked otherwise */
  readonly http: Address | null
  /** the embedded broker in clear; null when it is not asked for, or an outside broker is used */
  readonly mqtt: Address | null
  /** the same over TLS */
  readonly mqtts: Address | null
  /** what it shows there; null = a certificate of this cloud's own authority. `ca` = whom devices are to trust; null = the system's */
  readonly mqttsFiles: (PairFiles & { readonly ca: string | null }) | null
  readonly broker: { readonly url: string; readonly username: string; readonly password: string } | null
  /** what devices are told to connect to */
  readonly advertisedBroker: string
  /** where devices open live sessions; null = the host of the advertised broker and the API's port */
  readonly advertisedApi: string | null
  readonly tenant: string
  readonly consoleDir: string | null
  /** extra names and addresses in the API certificate */
  readonly certificateNames: readonly string[]
  /** file with the scheduler's profiles; null = the usual one */
  readonly schedulerConfig: string | null
}

export type ConfigResult =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'wrong'; readonly text: string }

export const HELP = `skerry-cloud: the controller. Holds what operators asked for and publishes each device's desired state.

  skerry-cloud [flags]

  --data DIR             where everything durable lives        (SKERRY_DATA, default ./skerry-data)
  --https HOST:PORT      API for kubectl                       (SKERRY_HTTPS, default 0.0.0.0:6443)
  --http HOST:PORT|off   console and API over plain HTTP       (SKERRY_HTTP, default 127.0.0.1:8080)
  --mqtt HOST:PORT|off   embedded broker for devices, in clear (SKERRY_MQTT, default 0.0.0.0:1883)
  --mqtts HOST:PORT      the same over TLS, for devices beyond networks that you trust  (SKERRY_MQTTS, e.g. 0.0.0.0:8883)
  --mqtts-cert FILE, --mqtts-key FILE  what it shows there, read again within a minute of a change or at SIGHUP
                         (SKERRY_MQTTS_CERT, SKERRY_MQTTS_KEY, default: a certificate of this cloud's own authority, which join files carry)
  --mqtts-ca FILE        whom devices are to trust for these files  (SKERRY_MQTTS_CA, default: the authorities of their system)
  --broker URL           an outside broker instead, e.g. mqtt://broker:1883  (SKERRY_BROKER; SKERRY_BROKER_USERNAME, SKERRY_BROKER_PASSWORD)
  --advertise URL        what devices are told to connect to   (SKERRY_ADVERTISE, default mqtts:// or mqtt://, 127.0.0.1 and the broker's port)
  --advertise-api URL    where devices open live sessions      (SKERRY_ADVERTISE_API, default https://, the host of --advertise and the API's port)
  --tenant NAME          first level below skerry/v1           (SKERRY_TENANT, default default)
  --console DIR|off      the built console                     (SKERRY_CONSOLE, default the folder beside this program)
  --name NAME            another name or address in the API certificate; repeatable
  --scheduler-config FILE  profiles and plugins of the scheduler, JSON  (SKERRY_SCHEDULER_CONFIG, default: the usual profile)
  --help, --version
`

const OPTIONS = {
  data: { type: 'string' },
  https: { type: 'string' },
  http: { type: 'string' },
  mqtt: { type: 'string' },
  mqtts: { type: 'string' },
  'mqtts-cert': { type: 'string' },
  'mqtts-key': { type: 'string' },
  'mqtts-ca': { type: 'string' },
  broker: { type: 'string' },
  advertise: { type: 'string' },
  'advertise-api': { type: 'string' },
  tenant: { type: 'string' },
  console: { type: 'string' },
  name: { type: 'string', multiple: true },
  'scheduler-config': { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const

type Environment = Readonly<Record<string, string | undefined>>

/** Flags win over the environment. Every fault names the flag, what it got and what it takes. */
export function readConfig(argv: readonly string[], env: Environment, programDir: string): ConfigResult {
  let values: ReturnType<typeof parse>
  try {
    values = parse(argv)
  } catch (error) {
    return { kind: 'wrong', text: `${error instanceof Error ? error.message : String(error)}\nSee skerry-cloud --help.` }
  }
  if (values.help === true) return { kind: 'help', text: HELP }
  const wrong: string[] = []
  const address = (flag: 'https' | 'http' | 'mqtt' | 'mqtts', fallback: string): Address => {
    const text = values[flag] ?? env[`SKERRY_${flag.toUpperCase()}`] ?? fallback
    const parsed = parseAddress(text)
    if (parsed === null) wrong.push(`--${flag}: ${JSON.stringify(text)} is not HOST:PORT, for example ${fallback}`)
    return parsed ?? { host: '127.0.0.1', port: 0 }
  }
  const tenant = values.tenant ?? env['SKERRY_TENANT'] ?? DEFAULT_TENANT
  if (!isDnsLabel(tenant)) wrong.push(`--tenant: ${JSON.stringify(tenant)} must be lower case letters, digits and "-", at most 63`)
  const brokerUrl = values.broker ?? env['SKERRY_BROKER']
  if (brokerUrl !== undefined && !/^(mqtts?|tcp|tls):\/\/[^\s/]+$/.test(brokerUrl))
    wrong.push(`--broker: ${JSON.stringify(brokerUrl)} is not mqtt://HOST:PORT or mqtts://HOST:PORT`)
  const api = values['advertise-api'] ?? env['SKERRY_ADVERTISE_API'] ?? null
  if (api !== null && !/^https:\/\/[^\s/]+\/?$/.test(api)) wrong.push(`--advertise-api: ${JSON.stringify(api)} is not https://HOST:PORT`)
  const own = brokerUrl === undefined
  const mqtt = own && (values.mqtt ?? env['SKERRY_MQTT']) !== 'off' ? address('mqtt', '0.0.0.0:1883') : null
  const mqtts = own && (values.mqtts ?? env['SKERRY_MQTTS']) !== undefined ? address('mqtts', '0.0.0.0:8883') : null
  if (own && mqtt === null && mqtts === null) wrong.push('--mqtt off: needs --mqtts HOST:PORT or --broker URL, so that devices can come in')
  const files = { cert: values['mqtts-cert'] ?? env['SKERRY_MQTTS_CERT'], key: values['mqtts-key'] ?? env['SKERRY_MQTTS_KEY'] }
  const ca = values['mqtts-ca'] ?? env['SKERRY_MQTTS_CA'] ?? null
  const filesGiven = files.cert !== undefined || files.key !== undefined || ca !== null
  if (filesGiven && mqtts === null) wrong.push('--mqtts-cert, --mqtts-key and --mqtts-ca: need --mqtts HOST:PORT')
  const mqttsFiles = files.cert !== undefined && files.key !== undefined ? { cert: files.cert, key: files.key, ca } : null
  if (filesGiven && mqttsFiles === null) wrong.push('--mqtts-cert and --mqtts-key: each needs the other, and --mqtts-ca both')
  const httpText = values.http ?? env['SKERRY_HTTP']
  const consoleText = values.console ?? env['SKERRY_CONSOLE']
  const config: Config = {
    dataDir: path.resolve(values.data ?? env['SKERRY_DATA'] ?? 'skerry-data'),
    https: address('https', '0.0.0.0:6443'),
    http: httpText === 'off' ? null : address('http', '127.0.0.1:8080'),
    mqtt,
    mqtts,
    mqttsFiles,
    broker:
      brokerUrl === undefined
        ? null
        : { url: brokerUrl, username: env['SKERRY_BROKER_USERNAME'] ?? '', password: env['SKERRY_BROKER_PASSWORD'] ?? '' },
    advertisedBroker: values.advertise ?? env['SKERRY_ADVERTISE'] ?? brokerUrl ?? advertisedFor(mqtt, mqtts),
    advertisedApi: api,
    tenant,
    consoleDir: consoleText === 'off' ? null : path.resolve(consoleText ?? path.join(programDir, 'console')),
    certificateNames: values.name ?? [],
    schedulerConfig: values['scheduler-config'] ?? env['SKERRY_SCHEDULER_CONFIG'] ?? null,
  }
  return wrong.length > 0 ? { kind: 'wrong', text: `${wrong.join('\n')}\nSee skerry-cloud --help.` } : { kind: 'run', config }
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false }).values
}

/** TLS where there is. */
function advertisedFor(mqtt: Address | null, mqtts: Address | null): string {
  return mqtts === null ? `mqtt://127.0.0.1:${mqtt?.port ?? 1883}` : `mqtts://127.0.0.1:${mqtts.port}`
}

function parseAddress(text: string): Address | null {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) return null
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port }
}
