import type { FieldView } from '../view-model.ts'
import { owner, post, signedIn } from './act.ts'
import { askFor } from './dialogs.tsx'
import { deviceNowMs } from './live.ts'
import { duration } from './words.ts'

/** What people decided on this device for a while, and what was done before. */
export function Decided({ data }: { readonly data: FieldView }) {
  return (
    <>
      <ul class="rows">
        {data.overrides.map((one) => (
          <li class="row" key={one.id}>
            <p>
              <b>{one.kind}</b> of {one.target} by {one.owner}: {one.reason}
              <br />
              <span class="muted small">ends in {duration(one.endsAtMs - deviceNowMs())}</span>
            </p>
            <button type="button" aria-label={`End ${one.kind} of ${one.target}`} onClick={() => signedIn(() => void end(one.id, one.owner))}>
              End
            </button>
          </li>
        ))}
      </ul>
      <div class="go">
        <button type="button" onClick={() => askFor('safe-mode', null, 'for this device')}>
          Safe mode
        </button>
        <button type="button" onClick={() => signedIn(() => void saveBundle(data.device))}>
          Save diagnostics
        </button>
      </div>
      <Done list={data.done} />
    </>
  )
}

function Done({ list }: { readonly list: FieldView['done'] }) {
  if (list.length === 0) return null
  return (
    <details>
      <summary>Done on this device</summary>
      <ul class="small">
        {list.map((one, index) => (
          <li key={index}>
            {new Date(one.atMs).toISOString().slice(0, 16).replace('T', ' ')} {one.owner}: {one.action}, {one.target}. {one.ok ? '' : 'Refused: '}
            {one.result}
          </li>
        ))}
      </ul>
    </details>
  )
}

async function end(id: string, by: string): Promise<void> {
  await post('/api/v1/override/end', { id, owner: owner.value || by })
}

async function saveBundle(device: string): Promise<void> {
  const told = await post('/api/v1/bundle', { owner: owner.value || 'somebody on site' })
  if (!told.ok || told.response === null) return
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await told.response.blob())
  link.download = `skerry-${device}.json.gz`
  link.click()
  URL.revokeObjectURL(link.href)
}
