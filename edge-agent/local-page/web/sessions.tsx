import type { FieldView } from '../view-model.ts'
import { deviceNowMs } from './live.ts'
import { duration } from './words.ts'

/** Who works on this device from outside at this moment. */
export function Sessions({ list }: { readonly list: FieldView['sessions'] }) {
  return (
    <ul>
      {list.map((one) => (
        <li key={one.id}>
          {one.who}: {one.what} in {one.namespace}/{one.pod}{' '}
          <span class="muted">
            for {duration(deviceNowMs() - Date.parse(one.since))}, {one.bytes} bytes
          </span>
        </li>
      ))}
    </ul>
  )
}
