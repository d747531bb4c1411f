import { useEffect, useState } from 'preact/hooks'
import type { MembersPage } from '../../rollout-view.ts'
import { Age } from '../parts/age.tsx'
import { fetchMembers } from './fetch-members.ts'
import { plural } from '../words.ts'
import { VERDICT_GROUPS } from './verdict-groups.ts'

interface MembersProps {
  /** of the rollout in the API */
  readonly path: string
  readonly wave: number
  /** cause code, '' = any */
  readonly cause: string
  /** asked again when this changes */
  readonly version: string
  onCause(code: string): void
}

const PAGE = 50

/** The frozen members: the same that the plan showed. */
export function Members({ path, wave, cause, version, onCause }: MembersProps) {
  const [verdict, setVerdict] = useState('')
  const [offset, setOffset] = useState(0)
  const [view, setView] = useState<MembersPage | null>(null)
  useEffect(() => setOffset(0), [wave, cause, verdict])
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(() => {
      fetchMembers(path, { wave: wave === 0 ? '' : String(wave), verdict, cause, offset: String(offset), limit: String(PAGE) }, stop.signal)
        .then(setView)
        .catch(() => undefined)
    }, 200)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [path, wave, verdict, cause, offset, version])
  return (
    <>
      <p class="member-filter">
        <label>
          State{' '}
          <select value={verdict} onChange={(event) => setVerdict(event.currentTarget.value)}>
            <option value="">any</option>
            {VERDICT_GROUPS.map((group) => (
              <option key={group.name} value={group.verdicts.join()}>
                {group.name}
              </option>
            ))}
          </select>
        </label>
        {cause === '' ? null : (
          <button type="button" onClick={() => onCause('')}>
            {cause} ×
          </button>
        )}
        <span class="muted" role="status">
          {view === null ? '' : plural(view.metadata.total, 'device')}
        </span>
      </p>
      <MemberTable members={view?.items ?? []} />
      {view !== null && view.metadata.total > PAGE ? <Pager total={view.metadata.total} offset={offset} onOffset={setOffset} /> : null}
    </>
  )
}

function MemberTable({ members }: { readonly members: MembersPage['items'] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Devices of the rollout">
      <table class="members">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">Wave</th>
            <th scope="col">State</th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {members.map((one) => (
            <tr key={one.node}>
              <th scope="row">
                <a href={`/console/devices/${one.node}`}>{one.node}</a>
              </th>
              <td class="num">{one.wave}</td>
              <td>
                {one.verdict}
                {one.sentence === undefined ? null : <small>{one.sentence}</small>}
              </td>
              <td class="num">
                <Age at={Date.parse(one.since) || null} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Pager({ total, offset, onOffset }: { readonly total: number; readonly offset: number; onOffset(offset: number): void }) {
  return (
    <p class="pager">
      <button type="button" disabled={offset === 0} onClick={() => onOffset(Math.max(0, offset - PAGE))}>
        Before
      </button>
      <span class="muted">
        {offset + 1} to {Math.min(total, offset + PAGE)}
      </span>
      <button type="button" disabled={offset + PAGE >= total} onClick={() => onOffset(offset + PAGE)}>
        Next
      </button>
    </p>
  )
}
