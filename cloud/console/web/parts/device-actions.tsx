import { useState } from 'preact/hooks'
import type { DeviceRow } from '../../view-model.ts'
import { send } from '../api-write.ts'
import { drain, planDrain } from '../drain.ts'
import { drainSays } from '../drain-plan.ts'
import type { DrainPlan } from '../drain-plan.ts'
import { saveFile } from '../save-file.ts'
import { Ask } from './ask.tsx'

type Asked = { readonly what: 'drain'; readonly plan: DrainPlan } | { readonly what: 'restart' }

/** What can be done with a device from here, and where its past is. */
export function DeviceActions({ row }: { readonly row: DeviceRow }) {
  const [state, setState] = useState('')
  const [asked, setAsked] = useState<Asked | null>(null)
  const silent = row.word === 'offline' || row.word === 'never-seen' ? 'The device is not heard.' : ''
  const cordon = async (on: boolean): Promise<void> => {
    setState('Sending…')
    const failure = await send('PATCH', `/api/v1/nodes/${row.name}`, { spec: { unschedulable: on } }, 'application/merge-patch+json')
    setState(failure ?? '')
  }
  const askDrain = async (): Promise<void> => {
    setState('Looking at its pods…')
    const plan = await planDrain(row.name)
    setState(typeof plan === 'string' ? plan : '')
    if (typeof plan !== 'string') setAsked({ what: 'drain', plan })
  }
  const bundle = async (): Promise<void> => {
    setState('The device puts its diagnostics together; it tries its way to the cloud for it…')
    const sending = { method: 'POST', body: '{}' }
    const failure = await saveFile(`/skerry/v1/devices/${row.name}/bundle`, `skerry-bundle-${row.name}.json.gz`, sending)
    setState(failure ?? `Saved: gzipped JSON without secrets. The same from a shell: skerry device bundle ${row.name}`)
  }
  return (
    <>
      <div class="action-bar" role="group" aria-label="Actions">
        <button
          type="button"
          title={row.cordoned ? 'New pods may be placed there again.' : 'No new pods are placed there; what runs stays.'}
          onClick={() => void cordon(!row.cordoned)}
        >
          {row.cordoned ? 'Uncordon' : 'Cordon'}
        </button>
        <button type="button" title="Moves what can run elsewhere" onClick={() => void askDrain()}>
          Drain
        </button>
        <button type="button" disabled={silent !== ''} title={silent || 'Workloads keep running.'} onClick={() => setAsked({ what: 'restart' })}>
          Restart agent
        </button>
        <button
          type="button"
          disabled={silent !== ''}
          title={silent || `State, logs and checks, without secrets; from a shell: skerry device bundle ${row.name}`}
          onClick={() => void bundle()}
        >
          Save diagnostics
        </button>
        <a class="button" href={`/console/edit/Node/-/${row.name}`}>
          Edit labels
        </a>
        <a class="button" href={`/console/audit?q=${encodeURIComponent(`about:${row.name}`)}`}>
          Audit
        </a>
        <a class="button" href={`/console/pods?q=${encodeURIComponent(`device:${row.name}`)}`}>
          Its pods as a list
        </a>
      </div>
      <p class="small" role="status">
        {state}
      </p>
      {asked === null ? null : <AskFor asked={asked} device={row.name} say={setState} onClose={() => setAsked(null)} />}
    </>
  )
}

interface AskForProps {
  readonly asked: Asked
  readonly device: string
  say(text: string): void
  onClose(): void
}

const KEPT = 'It is kept in the audit log.'

function AskFor({ asked, device, say, onClose }: AskForProps) {
  if (asked.what === 'drain')
    return (
      <Ask
        title="Drain"
        effect={drainSays(asked.plan)}
        grave={asked.plan.moving.length > 0}
        kept={KEPT}
        shell={{ command: `kubectl drain ${device} --ignore-daemonsets`, takesReason: false }}
        act={(reason) => drain(device, asked.plan, reason)}
        onClose={onClose}
      />
    )
  return (
    <Ask
      title="Restart agent"
      effect="The agent ends in good order and its service starts it again. Workloads keep running; the device is away for a few seconds."
      grave={false}
      kept={KEPT}
      shell={{ command: `skerry device restart-agent ${device}`, takesReason: true }}
      act={async (reason) => {
        const failure = await send('POST', `/skerry/v1/devices/${device}/restart-agent`, { reason })
        if (failure === null) say('The agent starts anew.')
        return failure
      }}
      onClose={onClose}
    />
  )
}
