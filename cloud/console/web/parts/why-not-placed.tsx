import { useEffect, useState } from 'preact/hooks'
import type { WhyNotPlaced as Why } from '../../view-model.ts'
import { ask } from '../session.ts'
import { Word } from './mark.tsx'
import { plural } from '../words.ts'

/** Why a pod is on no device: what every device says, all rules, so that one correction is enough. */
export function WhyNotPlaced({ pod, others }: { readonly pod: string; readonly others: number }) {
  const [why, setWhy] = useState<Why | string | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    ask(`why?pod=${encodeURIComponent(pod)}`, {}, stop.signal)
      .then(async (response) => setWhy((await response.json()) as Why))
      .catch((error: unknown) => (stop.signal.aborted ? undefined : setWhy(error instanceof Error ? error.message : String(error))))
    return () => stop.abort()
  }, [pod])
  return (
    <section class="why-not" aria-labelledby="why-title">
      <h2 id="why-title">
        Why {pod} is not placed{others > 0 ? ` (and ${plural(others, 'more pod')})` : ''}
      </h2>
      {why === null ? <p class="muted">Asking…</p> : typeof why === 'string' ? <p>The reason could not be read: {why}.</p> : <Answer why={why} />}
    </section>
  )
}

function Answer({ why }: { readonly why: Why }) {
  return (
    <>
      <p class="lead">{why.says}</p>
      {why.changes.map(({ device, changes }) => (
        <p key={`${device} ${changes.join()}`}>
          It would fit on {device}: {changes.join(', and ')}. <span class="muted">Tried by a dry run.</span>
        </p>
      ))}
      {why.devices.length === 0 ? null : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Reasons by device">
          <table class="stack">
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Fits</th>
                <th scope="col">Why not</th>
                <th scope="col">What to do</th>
              </tr>
            </thead>
            <tbody>
              {why.devices.map(({ device, source, causes }) => (
                <tr key={device}>
                  <th scope="row">
                    <a href={`/console/devices/${device}`}>{device}</a> <span class="muted">{source}</span>
                  </th>
                  <td data-label="Fits">
                    <Word tone={causes.length === 0 ? 'ok' : 'bad'}>{causes.length === 0 ? 'yes' : 'no'}</Word>
                  </td>
                  <td data-label="Why not">
                    {causes.map((one) => (
                      <p key={one.says}>
                        {one.says} <code>{one.code}</code>
                      </p>
                    ))}
                  </td>
                  <td data-label="What to do">
                    {[...new Set(causes.map((one) => one.next))].map((next) => (
                      <p key={next}>{next}</p>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
