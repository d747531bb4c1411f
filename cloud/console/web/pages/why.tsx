import { useRoute, useLocation } from 'preact-iso'
import { useEffect, useState } from 'preact/hooks'
import type { WhyView } from '../../why-shape.ts'
import { Cause } from '../parts/cause.tsx'
import { Word } from '../parts/mark.tsx'
import { ask } from '../session.ts'
import { useWish } from '../use-wish.ts'
import { grouped, plural } from '../words.ts'

/** "Why is this not running here?": the same answer as `skerry why`, with an address of its own. */
export function Why() {
  const { namespace = '', name = '' } = useRoute().params
  const on = useLocation().query['on'] ?? ''
  return <WhyOf key={`${namespace}/${name} ${on}`} pod={`${namespace}/${name}`} on={on} />
}

function WhyOf({ pod, on }: { readonly pod: string; readonly on: string }) {
  const [why, setWhy] = useState<WhyView | string | null>(null)
  const changed = useChanges(pod)
  useEffect(() => {
    const stop = new AbortController()
    ask(`why?pod=${encodeURIComponent(pod)}${on === '' ? '' : `&on=${encodeURIComponent(on)}`}`, {}, stop.signal)
      .then(async (response) => setWhy((await response.json()) as WhyView))
      .catch((error: unknown) => (stop.signal.aborted ? undefined : setWhy(error instanceof Error ? error.message : String(error))))
    return () => stop.abort()
  }, [changed])
  return (
    <>
      <p class="crumb">
        <a href="/console/pods">Pods</a>
      </p>
      <h1>
        Why is {pod} not running{on === '' ? '' : ` on ${on}`}?
      </h1>
      {why === null ? (
        <p role="status">Asking…</p>
      ) : typeof why === 'string' ? (
        <p role="alert">The reason could not be read: {why}.</p>
      ) : (
        <Answer why={why} pod={pod} />
      )}
    </>
  )
}

/** The answer is asked for again when the pod or the device changed. */
function useChanges(pod: string): string {
  const list = useWish({ part: 'list', table: 'pods', query: `name:${pod.split('/')[1] ?? ''}`, sort: '', offset: 0, limit: 5, facets: false })
  return JSON.stringify(list?.rows ?? [])
}

function Answer({ why, pod }: { readonly why: WhyView; readonly pod: string }) {
  const { pod: row } = why
  const fine = row?.word === 'running'
  return (
    <>
      <div class={`answer ${fine ? 'ok' : (row?.tone ?? 'unknown')}`}>
        {row === null ? null : <Word tone={row.tone}>{row.word}</Word>}
        <p class="lead">{fine ? `It is: ${why.says.charAt(0).toLowerCase()}${why.says.slice(1)}` : why.says}</p>
        {why.next === '' ? null : (
          <p class="do">
            <b>Do this</b> {why.next}
          </p>
        )}
      </div>
      <Changes why={why} />
      <Funnel why={why} />
      <Checklist why={why} />
      <Nearest why={why} pod={pod} />
      <p class="muted same">
        The same from a shell: <code>{why.command}</code>
        {row === null ? null : (
          <>
            {' '}
            · <a href={`/console/workloads/${row.workload}`}>its workload</a>
            {row.device === null ? null : (
              <>
                {' '}
                · <a href={`/console/devices/${row.device}`}>{row.device}</a> · <a href={`/console/logs/${pod}`}>logs</a>
              </>
            )}
          </>
        )}
      </p>
    </>
  )
}

function Changes({ why }: { readonly why: WhyView }) {
  if (why.changes.length === 0) return null
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">What would make it run</h2>
      <ol class="changes">
        {why.changes.map(({ device, changes }) => (
          <li key={`${device} ${changes.join()}`}>
            <b>{changes.join(', and ')}</b>: it would then fit on <a href={`/console/devices/${device}`}>{device}</a>.{' '}
            <span class="muted">Tried by a dry run of all rules.</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Funnel({ why }: { readonly why: WhyView }) {
  if (why.funnel.length === 0) return null
  const steps = [{ rule: 'all', says: 'in the fleet', left: why.devices, here: false }, ...why.funnel]
  return (
    <section aria-labelledby="funnel">
      <h2 id="funnel">Where the devices drop out</h2>
      <ol class="funnel">
        {steps.map((step, at) => (
          <li key={step.rule} class={step.here ? 'here' : ''}>
            <span class="funnel-count">{grouped(step.left)}</span>
            <span class="track" aria-hidden="true">
              <i style={{ width: `${why.devices === 0 ? 0 : (step.left / why.devices) * 100}%` }} />
            </span>
            <span>
              {at === 0 ? step.says : `left: ${step.says}`}
              {step.here ? <b> ← this device drops out here</b> : null}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Checklist({ why }: { readonly why: WhyView }) {
  if (why.checklist.length === 0) return null
  return (
    <section aria-labelledby="checklist">
      <h2 id="checklist">Every rule on this device</h2>
      <p class="muted">{why.source}</p>
      <ul class="checklist">
        {why.checklist.map(({ rule, says, causes }) => (
          <li key={rule}>
            <Word tone={causes.length === 0 ? 'ok' : 'bad'}>{causes.length === 0 ? 'pass' : 'FAIL'}</Word>
            <div>
              {says}
              {causes.map((cause) => (
                <Cause key={cause.says} cause={cause} />
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Nearest({ why, pod }: { readonly why: WhyView; readonly pod: string }) {
  if (why.nearest.length === 0) return null
  return (
    <section aria-labelledby="nearest">
      <h2 id="nearest">{why.nearest.length < why.devices ? `The ${plural(why.nearest.length, 'device')} nearest to fitting` : 'Each device'}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Reasons by device">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Device</th>
              <th scope="col">Fits</th>
              <th scope="col">Why not</th>
            </tr>
          </thead>
          <tbody>
            {why.nearest.map(({ device, source, causes }) => (
              <tr key={device}>
                <th scope="row">
                  <a href={`/console/why/${pod}?on=${device}`}>{device}</a>
                  <small>{source}</small>
                </th>
                <td data-label="Fits">
                  <Word tone={causes.length === 0 ? 'ok' : 'bad'}>{causes.length === 0 ? 'yes' : 'no'}</Word>
                </td>
                <td data-label="Why not">
                  {causes.length === 0 ? '–' : null}
                  {causes.map((one) => (
                    <p key={one.says}>
                      {one.says} <code>{one.code}</code>
                    </p>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
