import { useState } from 'preact/hooks'
import type { CauseGroup, MuteView } from '../../live-protocol.ts'
import { send } from '../api-write.ts'
import { nowMs } from '../live-store.ts'
import { duration, grouped, plural } from '../words.ts'
import { Age } from './age.tsx'
import { Ask } from './ask.tsx'
import { Mark } from './mark.tsx'

/** Told again when its time is over, also while the cloud is away. */
export function isMuted({ mute }: CauseGroup): boolean {
  return mute !== null && mute.untilMs > nowMs.value
}

/** One problem of the fleet: how wide it is, what to do, and who is meant by it. */
export function CauseArticle({ group }: { readonly group: CauseGroup }) {
  const [muting, setMuting] = useState(false)
  const { cause, tone, devices, pods, sinceMs, samples, href, mute } = group
  const first = pods > 0 ? samples[0]?.href : undefined
  return (
    <article class="cause-group">
      <Mark tone={tone} />
      <div>
        <p class="cause-says">{cause.says}</p>
        <p class="muted">
          {[...(devices > 0 ? [plural(devices, 'device')] : []), ...(pods > 0 ? [plural(pods, 'pod')] : [])].join(', ')}
          {sinceMs === null ? (
            ''
          ) : (
            <>
              , for <Age at={sinceMs} />
            </>
          )}
          {cause.code === '' ? (
            ''
          ) : (
            <>
              {' '}
              · <code>{cause.code}</code>
            </>
          )}
        </p>
        {mute !== null && isMuted(group) ? <MutedBy mute={mute} /> : null}
        {cause.next === '' ? null : (
          <p class="do">
            <b>Do this</b> {cause.next}
          </p>
        )}
        <p class="actions">
          <a href={href}>Show {devices > 0 ? 'devices' : 'pods'}</a>
          {first === undefined ? null : <a href={first}>Explain</a>}
          {isMuted(group) ? null : (
            <button type="button" class="link" onClick={() => setMuting(true)}>
              Mute
            </button>
          )}
          <span class="samples">
            {samples.slice(0, 3).map((one) => (
              <a key={one.href} href={one.href}>
                {one.label}
              </a>
            ))}
            {Math.max(devices, pods) > 3 ? <span class="muted">and {grouped(Math.max(devices, pods) - 3)} more</span> : null}
          </span>
        </p>
        {muting ? <AskMute group={group} onClose={() => setMuting(false)} /> : null}
      </div>
    </article>
  )
}

function MutedBy({ mute }: { readonly mute: MuteView }) {
  const [state, setState] = useState('')
  const end = async (): Promise<void> => setState((await send('DELETE', `/apis/skerry.dev/v1/mutes/${mute.name}`, undefined)) ?? '')
  return (
    <p class="muted-by">
      Muted by {mute.by} for another {duration(mute.untilMs - nowMs.value)}: “{mute.reason}”{' '}
      <button type="button" class="link" onClick={() => void end()}>
        Tell again
      </button>
      {state === '' ? null : <span role="status"> {state}</span>}
    </p>
  )
}

const HOURS = [1, 8, 24, 24 * 7, 24 * 30] as const

function AskMute({ group, onClose }: { readonly group: CauseGroup; onClose(): void }) {
  const [hours, setHours] = useState<number>(8)
  return (
    <Ask
      title="Mute"
      effect="It is no longer told among the things that need attention, to nobody, until the time is over. States, lists, metrics and alerts stay as they are."
      grave={false}
      kept="Everybody sees it, with your name."
      act={(reason) =>
        send('POST', '/apis/skerry.dev/v1/mutes', {
          apiVersion: 'skerry.dev/v1',
          kind: 'Mute',
          metadata: { generateName: 'mute-' },
          spec: { problem: group.key, reason, until: new Date(Date.now() + hours * 3_600_000).toISOString() },
        })
      }
      onClose={onClose}
    >
      <label>
        For{' '}
        <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
          {HOURS.map((one) => (
            <option key={one} value={one}>
              {one < 24 ? plural(one, 'hour') : plural(one / 24, 'day')}
            </option>
          ))}
        </select>
      </label>
    </Ask>
  )
}
