import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { RolloutPart } from '../../rollout-view.ts'
import { Age } from '../parts/age.tsx'
import { Cause } from '../parts/cause.tsx'
import { Word } from '../parts/mark.tsx'
import { Nothing } from '../parts/nothing.tsx'
import { ActionBar } from '../rollout/action-bar.tsx'
import { rolloutActions } from '../rollout/actions.ts'
import { Failures } from '../rollout/failures.tsx'
import { Members } from '../rollout/members.tsx'
import { ProgressChart } from '../rollout/progress-chart.tsx'
import { VerdictLegend, WaveStrip } from '../rollout/wave-strip.tsx'
import { useQuery } from '../use-query.ts'
import { useWish } from '../use-wish.ts'

/** One rollout: where it stands in a sentence, what can be decided, its waves and gates, what failed and why, who decided what. */
export function Rollout() {
  const { namespace = '', name = '' } = useRoute().params
  return <RolloutOf key={`${namespace}/${name}`} id={`${namespace}/${name}`} name={name} />
}

function RolloutOf({ id, name }: { readonly id: string; readonly name: string }) {
  const part = useWish({ part: 'rollout', key: id })
  if (part === undefined) return <p role="status">Loading…</p>
  if (part === null) return <Nothing name={name} what="rollout" />
  return <Page part={part} />
}

function Page({ part }: { readonly part: RolloutPart }) {
  const { get, set } = useQuery()
  const [members, setMembers] = useState('')
  const { row } = part
  const wave = Number(get('wave')) || 0
  return (
    <>
      <p class="crumb">
        <a href="/console/rollouts">Rollouts</a>
      </p>
      <h1>{row.name}</h1>
      <p class="standing">
        <Word tone={row.tone}>{row.word}</Word>
        <span class="muted">
          {row.namespace}, started <Age at={row.createdAtMs} /> ago
        </span>
      </p>
      {row.summary.map((line) => (
        <p key={line}>
          <code>{line}</code>
        </p>
      ))}
      <p class="lead">{row.says}</p>
      <Cause cause={withoutRepeat(part)} />
      <ActionBar actions={rolloutActions(part)} path={pathOf(part)} />
      <h2>Waves</h2>
      {row.waves.length === 0 ? (
        <p class="muted">Its members are being frozen.</p>
      ) : (
        <WaveStrip waves={row.waves} chosen={wave} onChoose={(chosen) => set('wave', chosen === 0 ? '' : String(chosen))} />
      )}
      <VerdictLegend counts={row.counts} />
      <div class="overview">
        <section aria-labelledby="failures">
          <h2 id="failures">Failures, by cause</h2>
          <Failures part={part} path={pathOf(part)} onShow={(code) => setMembers(code)} />
          <h2>Rules</h2>
          <dl class="facts">
            {part.rules.map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section aria-labelledby="members">
          <h2 id="members">Members{wave === 0 ? '' : ` of wave ${wave}`}</h2>
          <Members path={pathOf(part)} wave={wave} cause={members} version={JSON.stringify(row.counts)} onCause={setMembers} />
        </section>
      </div>
      <h2>Over time</h2>
      <ProgressChart path={pathOf(part)} decisions={part.decisions} version={JSON.stringify(row.counts)} />
      <h2>Decisions</h2>
      <DecisionLog part={part} />
    </>
  )
}

/** The sentence above tells the cause already: what is left is what to do. */
function withoutRepeat({ row, cause }: RolloutPart): RolloutPart['cause'] {
  return cause !== null && row.says.includes(cause.says.replace(/\.$/, '')) ? { ...cause, says: '' } : cause
}

function pathOf({ row }: RolloutPart): string {
  return `/apis/skerry.dev/v1/namespaces/${row.namespace}/rollouts/${row.name}`
}

function DecisionLog({ part }: { readonly part: RolloutPart }) {
  if (part.decisions.length === 0) return <p class="muted">Nothing has been decided yet.</p>
  return (
    <ol class="events">
      {part.decisions.toReversed().map((one, at) => (
        <li key={`${one.atMs} ${one.action} ${at}`}>
          <span class="when">
            <Age at={one.atMs} />
          </span>
          <span />
          <p>
            <b>{one.action}</b>
            {one.wave === null ? '' : ` wave ${one.wave}`} <span class="muted">by {one.by}</span>
            {one.reason === '' ? '' : <>: “{one.reason}”</>}
            {one.cause === null ? null : (
              <>
                <br />
                {one.cause.says}
              </>
            )}
          </p>
        </li>
      ))}
    </ol>
  )
}
