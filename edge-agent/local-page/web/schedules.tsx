import type { ScheduleView } from '../view-model.ts'
import { Cause } from './cause.tsx'
import { deviceNowMs } from './live.ts'
import { Mark } from './mark.tsx'
import { duration } from './words.ts'

/** What this device runs by its own clock. */
export function Schedules({ list }: { readonly list: readonly ScheduleView[] }) {
  return (
    <ul class="lines">
      {list.map((one) => (
        <li key={one.name}>
          <Mark tone={one.cause !== null ? 'warn' : one.active > 0 ? 'busy' : 'ok'} /> <b>{one.name}</b> <code>{one.schedule}</code>{' '}
          <span class="muted">{when(one)}</span>
          {one.cause === null ? null : <Cause cause={one.cause} />}
        </li>
      ))}
    </ul>
  )
}

function when({ lastMs, nextMs, active }: ScheduleView): string {
  const runs = active === 0 ? '' : `${active} running, `
  const last = lastMs === null ? 'not run yet' : `last ${duration(deviceNowMs() - lastMs)} ago`
  return `${runs}${last}${nextMs === null ? '' : `, next in ${duration(nextMs - deviceNowMs())}`}`
}
