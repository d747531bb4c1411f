import type { CauseView, FieldView, LineView } from '../view-model.ts'
import { signedIn } from './act.ts'
import { Cause } from './cause.tsx'
import { Decided } from './decided.tsx'
import { Dialogs } from './dialogs.tsx'
import { Hardware } from './hardware.tsx'
import { deviceNowMs, heardAtMs, inContact, isLocked, nowMs, startLive, view } from './live.ts'
import { LogDialog, openLog } from './logs.tsx'
import { Mark } from './mark.tsx'
import { PathCheck } from './path.tsx'
import { Section } from './section.tsx'
import { Schedules } from './schedules.tsx'
import { Sessions } from './sessions.tsx'
import { bytes, duration } from './words.ts'
import { Workloads } from './workloads.tsx'

/** The whole page. Order on a phone: how it stands, what runs and why not, the ways out, the plan, the hardware. */
export function App() {
  const data = view.value
  if (data === null) return isLocked.value ? <Locked /> : <Waiting />
  return (
    <>
      <a class="skip" href="#workloads-title">
        Skip to workloads
      </a>
      <header>
        <h1>{data.device}</h1>
        <Contact />
      </header>
      <main>
        <Section title="In short" area="lead" data={data}>
          {() => <Lead data={data} />}
        </Section>
        <Section title="State" area="state" data={data}>
          {() => <State data={data} />}
        </Section>
        <Section title="Workloads" area="workloads" aside={count(data)} data={data}>
          {() => <Workloads rows={data.workloads} canAct={data.canAct} />}
        </Section>
        {Array.isArray(data.schedules) && data.schedules.length > 0 ? (
          <Section title="Schedules" area="schedules" data={data}>
            {() => <Schedules list={data.schedules} />}
          </Section>
        ) : null}
        {data.canAct ? (
          <>
            <Section title="Path to the cloud" area="path" data={data}>
              {() => <PathCheck />}
            </Section>
            <Section title="Decided on this device" area="decided" data={data}>
              {() => <Decided data={data} />}
            </Section>
          </>
        ) : null}
        <Section title="Plan" area="plan" data={data}>
          {() => <Plan data={data} />}
        </Section>
        {Array.isArray(data.sessions) && data.sessions.length > 0 ? (
          <Section title="Live sessions from outside" area="sessions" data={data}>
            {() => <Sessions list={data.sessions} />}
          </Section>
        ) : null}
        {refusals(data) ? (
          <Section title="Refused messages" area="refused" data={data}>
            {() => <Causes list={data.refusals} />}
          </Section>
        ) : null}
        <Section title="Hardware" area="hardware" data={data}>
          {() => <Hardware hardware={data.hardware} />}
        </Section>
      </main>
      <footer>
        <span>agent {data.agentVersion}</span>
        <button type="button" onClick={() => openLog('agent', 'the agent')}>
          Agent log
        </button>
        <a href="/text">As text</a>
        <a href="/api/v1/state">As JSON</a>
      </footer>
      <LogDialog />
      <Dialogs />
    </>
  )
}

function Waiting() {
  return (
    <main class="wait">
      <h1>{inContact.value ? 'Asking the device…' : 'The device does not answer. Trying again…'}</h1>
    </main>
  )
}

function Locked() {
  return (
    <main class="wait">
      <h1>This page needs the PIN of the device.</h1>
      <button type="button" onClick={() => signedIn(startLive)}>
        Sign in
      </button>
      <Dialogs />
    </main>
  )
}

function Contact() {
  const age = duration(nowMs.value - heardAtMs.value)
  if (inContact.value)
    return (
      <p class="contact">
        <i class="pulse" aria-hidden="true" />
        live
      </p>
    )
  return (
    <p class="contact lost" role="alert">
      The device does not answer. This picture is {age} old.
    </p>
  )
}

function Lead({ data }: { readonly data: FieldView }) {
  return (
    <div class={`headline ${data.headline.tone}`} role="status">
      <p class="says">{data.headline.says}</p>
      <p>{data.headline.detail}</p>
    </div>
  )
}

function State({ data }: { readonly data: FieldView }) {
  return (
    <>
      <dl class="lines">
        <Line name="Cloud" line={data.link} />
        <Line name="Engine" line={data.engine} />
        <Line name="Storage" line={data.storage} />
        {data.clock ? <Line name="Clock" line={data.clock} /> : null}
        <div>
          <dt>Wanted</dt>
          <dd>
            <Wanted desired={data.desired} />
          </dd>
        </div>
        <Traffic traffic={data.traffic} />
        <OwnUse own={data.own} />
      </dl>
    </>
  )
}

function OwnUse({ own }: { readonly own: FieldView['own'] }) {
  if (!own) return null
  return (
    <div>
      <dt>Agent</dt>
      <dd>
        {bytes(own.rssBytes)} memory{' '}
        {own.writtenBytes === null ? null : (
          <span class="muted">
            {bytes(own.writtenBytes)} written in {duration(own.overMs)}
          </span>
        )}
      </dd>
    </div>
  )
}

function Traffic({ traffic }: { readonly traffic: FieldView['traffic'] }) {
  if (traffic === null) return null
  return (
    <div>
      <dt>Data</dt>
      <dd>
        {bytes(traffic.todayBytes)} today{traffic.budgetBytes === null ? '' : ` of ${bytes(traffic.budgetBytes)}`}{' '}
        <span class="muted">
          {traffic.waiting} events wait to be sent{traffic.dropped === 0 ? '' : `, ${traffic.dropped} were given up`}
        </span>
      </dd>
    </div>
  )
}

function Wanted({ desired }: { readonly desired: FieldView['desired'] }) {
  if (desired === null) return <span class="muted">nothing received yet</span>
  return (
    <>
      {desired.pods} {desired.pods === 1 ? 'workload' : 'workloads'}{' '}
      <span class="muted">
        epoch {desired.epoch}, generation {desired.generation}
      </span>
    </>
  )
}

function Line({ name, line }: { readonly name: string; readonly line: LineView }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Mark tone={line.tone} /> {line.says}
        {line.sinceMs === null ? null : <span class="muted"> for {duration(deviceNowMs() - line.sinceMs)}</span>}
        {line.cause === null ? null : (
          <details open={line.tone === 'bad'}>
            <summary>Why, and what to do</summary>
            <Cause cause={line.cause} />
          </details>
        )}
      </dd>
    </div>
  )
}

function Plan({ data }: { readonly data: FieldView }) {
  return (
    <>
      <ol class="plan-lines" tabIndex={0} aria-label="Plan lines">
        {data.plan.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ol>
      <Causes list={data.waitsFor} />
    </>
  )
}

function Causes({ list }: { readonly list: readonly CauseView[] }) {
  return (
    <>
      {list.map((one, index) => (
        <Cause key={index} cause={one} />
      ))}
    </>
  )
}

function count(data: FieldView): string {
  const rows = Array.isArray(data.workloads) ? data.workloads : []
  return rows.length === 0 ? '' : `${rows.filter((row) => row?.word === 'running').length} of ${rows.length} run`
}

function refusals(data: FieldView): boolean {
  return Array.isArray(data.refusals) && data.refusals.length > 0
}
