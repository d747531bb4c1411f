/** Who may import whom, as data. `scripts/tidy` enforces it and the README prints it. */

export interface ImportRule {
  /** folder or file prefix this rule is about; the longest match wins */
  readonly from: string
  /** prefixes it may import, beside itself */
  readonly may: readonly string[]
  /** npm packages and node: modules; '*' = any, 'node:' = any built-in */
  readonly packages: readonly string[]
  /** decides only: no clock, disk, network, randomness, promises */
  readonly pure: boolean
  readonly why: string
}

const rule = (from: string, may: readonly string[], packages: readonly string[], pure: boolean, why: string): ImportRule => ({
  from,
  may,
  packages,
  pure,
  why,
})

export const IMPORT_RULES: readonly ImportRule[] = [
  rule('protocol/', [], [], true, 'the language both sides speak'),
  rule('protocol/revision.ts', ['protocol/'], ['node:crypto'], true, 'sha256 of canonical JSON'),
  rule('protocol/envelope.ts', ['protocol/'], ['node:crypto'], true, 'Ed25519 over exact bytes'),
  rule('protocol/topology-view/', ['protocol/'], ['preact', 'preact/hooks'], false, 'one picture for both web faces'),
  rule('device-profiles/', ['protocol/'], [], true, 'data about boards'),
  rule('cloud/resources/', ['protocol/'], [], true, 'one file a kind'),
  rule('cloud/core/', ['protocol/', 'cloud/resources/'], [], true, 'decisions'),
  rule('cloud/ports.ts', ['protocol/', 'cloud/resources/', 'cloud/core/'], [], true, 'where rooms meet'),
  rule('cloud/store/', ['protocol/', 'cloud/ports.ts', 'cloud/resources/'], ['node:'], false, 'owner of node:sqlite'),
  rule(
    'cloud/apiserver/',
    ['protocol/', 'cloud/ports.ts', 'cloud/resources/', 'cloud/core/'],
    ['node:', 'yaml', '@peculiar/x509', 'reflect-metadata'],
    false,
    'the Kubernetes-shaped HTTP API',
  ),
  rule('cloud/controllers/', ['protocol/', 'cloud/ports.ts', 'cloud/resources/', 'cloud/core/'], ['node:'], false, 'read, ask core, write'),
  rule(
    'cloud/mqtt/',
    ['protocol/', 'cloud/ports.ts', 'cloud/core/'],
    ['node:', 'aedes', 'aedes-persistence', 'mqtt', 'mqtt-packet', 'mqemitter'],
    false,
    'broker and link',
  ),
  rule('cloud/sessions/', ['protocol/', 'cloud/ports.ts'], ['node:', 'ws'], false, 'live sessions between kubectl and devices'),
  rule('cloud/console/', ['protocol/', 'cloud/ports.ts', 'cloud/resources/', 'cloud/core/'], ['node:'], false, 'serves the web app'),
  rule('cloud/metrics/', ['protocol/', 'cloud/ports.ts', 'cloud/core/'], ['node:'], false, 'counts and times, and /metrics'),
  rule('cloud/console/web/', ['protocol/', 'cloud/console/'], ['preact', 'preact/hooks', '@preact/signals', 'preact-iso'], false, 'the web app'),
  rule(
    'cloud/console/web/editor/',
    ['protocol/', 'cloud/console/'],
    ['preact', 'preact/hooks', '@preact/signals', 'preact-iso', 'yaml'],
    false,
    'manifests as text: loaded when somebody edits',
  ),
  rule('cloud/cli/', ['protocol/', 'cloud/resources/', 'cloud/core/'], ['node:', 'yaml'], false, 'the skerry command'),
  rule('cloud/config.ts', ['protocol/'], ['node:'], false, 'the only reader of process.env and flags'),
  rule('cloud/', ['protocol/', 'device-profiles/', 'cloud/'], ['node:'], false, 'composition root'),
  rule('edge-agent/core/', ['protocol/'], [], true, "the agent's brain"),
  rule('edge-agent/ports.ts', ['protocol/', 'edge-agent/core/'], [], true, 'where rooms meet'),
  rule('edge-agent/engine/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:', 'dockerode'], false, 'owner of dockerode'),
  rule('edge-agent/services/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:'], false, 'names, addresses and the balancer'),
  rule('edge-agent/volumes/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:'], false, 'folders and files of pods'),
  rule(
    'edge-agent/inventory/',
    ['protocol/', 'device-profiles/', 'edge-agent/ports.ts', 'edge-agent/core/'],
    ['node:', 'systeminformation'],
    false,
    'reads the host',
  ),
  rule('edge-agent/store/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:', 'lowdb'], false, 'durable state'),
  rule('edge-agent/link/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:', 'mqtt', 'mqtt-packet'], false, 'the way to the cloud'),
  rule('edge-agent/session/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:', 'ws'], false, 'live sessions: logs, exec, ports'),
  rule('edge-agent/self-update/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:'], false, 'the launcher and the slots of agents'),
  rule(
    'edge-agent/path-check/',
    ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'],
    ['node:'],
    false,
    'looks at the way to the cloud when asked',
  ),
  rule('edge-agent/runtime/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:'], false, 'runs effects'),
  rule('edge-agent/local-page/', ['protocol/', 'edge-agent/ports.ts', 'edge-agent/core/'], ['node:'], false, "the field engineer's page"),
  rule(
    'edge-agent/local-page/web/',
    ['protocol/', 'edge-agent/local-page/'],
    ['preact', 'preact/hooks', '@preact/signals'],
    false,
    'the page itself',
  ),
  rule('edge-agent/config.ts', ['protocol/', 'edge-agent/join-file.ts'], ['node:'], false, 'the only reader of process.env and flags'),
  rule('edge-agent/', ['protocol/', 'device-profiles/', 'edge-agent/'], ['node:'], false, 'composition root'),
  rule('scripts/', ['protocol/', 'device-profiles/', 'cloud/', 'edge-agent/', 'scripts/', 'test/'], ['*'], false, 'tools; nobody imports them'),
  rule('test/', ['protocol/', 'device-profiles/', 'cloud/', 'edge-agent/', 'scripts/', 'test/'], ['*'], false, 'tests; nobody imports them'),
]

/** Libraries with exactly one owner: only files below these prefixes may import them (tests and scripts excepted). */
export const LIBRARY_OWNERS: Readonly<Record<string, readonly string[]>> = {
  dockerode: [
    'edge-agent/engine/docker-engine.ts',
    'edge-agent/engine/image-pull.ts',
    'edge-agent/engine/image-engine.ts',
    'edge-agent/engine/live-streams.ts',
    'edge-agent/engine/network-engine.ts',
    'edge-agent/engine/pod-engine.ts',
  ],
  ws: ['edge-agent/session/', 'cloud/sessions/'],
  mqtt: ['edge-agent/link/mqtt-link.ts', 'edge-agent/link/connection.ts', 'cloud/mqtt/mqtt-link.ts'],
  lowdb: ['edge-agent/store/'],
  aedes: ['cloud/mqtt/'],
  'node:sqlite': ['cloud/store/'],
  systeminformation: ['edge-agent/inventory/'],
  yaml: ['cloud/apiserver/', 'cloud/cli/', 'cloud/console/web/editor/'],
  '@peculiar/x509': ['cloud/apiserver/certificate.ts'],
}

/** Files that nothing imports because they are started: everything else without an importer is dead. */
export const ENTRY_POINTS: readonly RegExp[] = [
  /^edge-agent\/self-update\/main\.ts$/,
  /^cloud\/main\.ts$/,
  /^cloud\/cli\/main\.ts$/,
  /^edge-agent\/main\.ts$/,
  /^scripts\/[a-z0-9-]+\.ts$/,
  // found by scripts/conformance.ts, which runs every suite in the folder
  /^scripts\/conformance\/[a-z0-9-]+\.ts$/,
  /^test\/.*\.test\.ts$/,
  // started as processes of their own by the test beside them
  /^test\/integration\/[a-z-]+-child\.ts$/,
  /^[a-z.]+\.config\.ts$/,
  /^cloud\/console\/web\/main\.tsx$/,
  /^cloud\/console\/web\/vite\.config\.ts$/,
  /^edge-agent\/local-page\/web\/main\.tsx$/,
  /\.d\.ts$/,
]

export function ruleFor(file: string): ImportRule | undefined {
  let best: ImportRule | undefined
  for (const candidate of IMPORT_RULES) {
    const hit = file === candidate.from || (candidate.from.endsWith('/') && file.startsWith(candidate.from))
    if (hit && (best === undefined || candidate.from.length > best.from.length)) best = candidate
  }
  return best
}

/** The table as the README shows it. */
export function renderImportTable(): string {
  const lines = ['| room | may import | packages | pure |', '|---|---|---|---|']
  const code = (items: readonly string[]): string => items.map((item) => `\`${item}\``).join(' ') || '–'
  for (const { from, may, packages, pure } of IMPORT_RULES) lines.push(`| \`${from}\` | ${code(may)} | ${code(packages)} | ${pure ? 'yes' : ''} |`)
  return lines.join('\n')
}
