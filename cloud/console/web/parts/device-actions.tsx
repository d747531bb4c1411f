import { useState } from 'preact/hooks'
import type { DeviceRow } from '../../view-model.ts'
import { send } from '../api-write.ts'

/** What can be done with a device from here, and where its past is. */
export function DeviceActions({ row }: { readonly row: DeviceRow }) {
  const [state, setState] = useState('')
  const cordon = async (on: boolean): Promise<void> => {
    setState('Sending…')
    const failure = await send('PATCH', `/api/v1/nodes/${row.name}`, { spec: { unschedulable: on } }, 'application/merge-patch+json')
    setState(failure ?? '')
  }
  return (
    <div class="action-bar">
      <button
        type="button"
        title={row.cordoned ? 'New pods may be placed there again.' : 'No new pods are placed there; what runs stays.'}
        onClick={() => void cordon(!row.cordoned)}
      >
        {row.cordoned ? 'Uncordon' : 'Cordon'}
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
      <span role="status">{state}</span>
    </div>
  )
}
