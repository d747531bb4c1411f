import { signal } from '@preact/signals'
import { post, signedIn } from './act.ts'
import { Mark } from './mark.tsx'

interface Step {
  readonly name: string
  readonly result: 'ok' | 'failed' | 'unknown'
  readonly says: string
  readonly next?: string
}

const NAMES: Readonly<Record<string, string>> = {
  cable: 'Cable',
  address: 'Address',
  router: 'Router',
  dns: 'Name server',
  clock: 'Clock',
  proxy: 'Proxy',
  tcp: 'Port',
  tls: 'Encryption',
  broker: 'Cloud',
}
const TONES = { ok: 'ok', failed: 'bad', unknown: 'unknown' } as const

const steps = signal<readonly Step[]>([])
const says = signal('')

/** From the cable to the cloud, in the order in which a person mends it. */
export function PathCheck() {
  return (
    <>
      <button type="button" onClick={() => signedIn(() => void run())}>
        Test now
      </button>
      <p class="muted small" role="status">
        {says.value}
      </p>
      <ol class="lines">
        {steps.value.map((step) => (
          <li key={step.name}>
            <Mark tone={TONES[step.result] ?? 'unknown'} /> <b>{NAMES[step.name] ?? step.name}</b> {step.says}
            {step.next === undefined ? null : (
              <p class="do">
                <b>Do this</b> {step.next}
              </p>
            )}
          </li>
        ))}
      </ol>
    </>
  )
}

async function run(): Promise<void> {
  says.value = 'Testing, at most 10 s…'
  const told = await post('/api/v1/path-check', {})
  says.value = told.says
  if (!told.ok || told.response === null) return
  steps.value = ((await told.response.json()) as { readonly steps: readonly Step[] }).steps
}
