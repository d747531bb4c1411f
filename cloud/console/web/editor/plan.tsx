import { bytes, duration, grouped, plural } from '../words.ts'
import type { PlanShown } from './plan-shape.ts'

/** Devices told by name; `skerry plan` has all. */
const MOST = 100

/** What a rollout would do, before it does: the same members start when it is applied. */
export function Plan({ plan }: { readonly plan: PlanShown }) {
  const refused = plan.devices.filter((one) => one.verdict === 'skipped')
  return (
    <div class="plan-shown">
      <p>{sentenceOf(plan)}</p>
      {plan.releases.map((one) => (
        <p key={one.daemonSet}>
          <code>
            {one.daemonSet}: {one.summary}
          </code>
        </p>
      ))}
      <Waves plan={plan} />
      {plan.totals.notCounted.length === 0 ? null : <p class="muted">Not counted: {plan.totals.notCounted.join('; ')}.</p>}
      {refused.length === 0 ? null : <Devices title={`${plural(refused.length, 'device')} left out`} devices={refused} />}
      <Devices title={`All ${plural(plan.devices.length, 'device')}`} devices={plan.devices} />
    </div>
  )
}

function sentenceOf({ totals }: PlanShown): string {
  const { members, skipped, silent, bytesToPull, devicesWithUnknownBytes, expectedSeconds, downtimeSeconds } = totals
  return [
    `${plural(members - skipped, 'device')} would change${silent > 0 ? `, ${grouped(silent)} of them silent now` : ''}`,
    pullText(bytesToPull, devicesWithUnknownBytes),
    expectedSeconds === null ? 'how long it takes is not known' : `about ${duration(expectedSeconds * 1000)}`,
    ...(downtimeSeconds === null ? [] : [`each away for ${downtimeSeconds.from} to ${downtimeSeconds.to} s`]),
  ]
    .join('; ')
    .concat('.')
}

function pullText(known: number, unknown: number): string {
  const where = unknown > 0 ? `the size of what ${plural(unknown, 'device')} would pull is not known` : ''
  if (known > 0) return `${bytes(known)} to pull${where === '' ? '' : `, and ${where}`}`
  return where === '' ? 'nothing to pull' : where
}

function Waves({ plan }: { readonly plan: PlanShown }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Wave</th>
          <th scope="col">Devices</th>
          <th scope="col">Silent</th>
          <th scope="col">Left out</th>
          <th scope="col">Expected</th>
        </tr>
      </thead>
      <tbody>
        {plan.waves.map((wave) => (
          <tr key={wave.number}>
            <th scope="row">
              {wave.number} {wave.name}
              {wave.approval ? <small>waits for approval</small> : null}
            </th>
            <td class="num">{grouped(wave.members)}</td>
            <td class="num">{grouped(wave.silent)}</td>
            <td class="num">{grouped(wave.skipped)}</td>
            <td class="num">{wave.expectedSeconds === null ? 'not known' : duration(wave.expectedSeconds * 1000)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Devices({ title, devices }: { readonly title: string; readonly devices: PlanShown['devices'] }) {
  return (
    <details class="groups">
      <summary>{title}</summary>
      <ul>
        {devices.slice(0, MOST).map((one) => (
          <li key={one.node}>
            <a href={`/console/devices/${one.node}`}>{one.node}</a> <span class="muted">wave {one.wave}</span>
            {one.sentence === undefined ? '' : `: ${one.sentence}`}
            {one.silent ? ' (silent now)' : ''}
            {one.bytesToPull === null ? '' : one.bytesToPull === 0 ? '' : `, pulls ${bytes(one.bytesToPull)}`}
          </li>
        ))}
      </ul>
      {devices.length > MOST ? <p class="muted">and {plural(devices.length - MOST, 'more device')}: skerry plan lists all.</p> : null}
    </details>
  )
}
