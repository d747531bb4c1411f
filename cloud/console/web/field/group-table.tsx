import type { FieldBytes } from '../field-bytes.ts'
import { StandingCells, StandingHeads } from '../parts/standing-columns.tsx'
import { grouped, plural } from '../words.ts'

const MOST = 100

/** The groups in words and numbers: for screen readers, and for whoever wants to compare. */
export function GroupTable({ field, by, onGroup }: { readonly field: FieldBytes; readonly by: string; onGroup(label: string): void }) {
  const shown = field.groups.slice(0, MOST)
  return (
    <details class="groups">
      <summary>The same as a table: {plural(field.groups.length, 'group')}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Devices by ${by}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{by}</th>
              <th scope="col">Devices</th>
              <StandingHeads />
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => (
              <tr key={group.label}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => onGroup(group.label)}>
                    {group.label === '' ? 'without label' : group.label}
                  </button>
                </th>
                <td class="num">{grouped(group.count)}</td>
                <StandingCells standings={group.standings} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {field.groups.length > MOST ? <p class="muted">and {plural(field.groups.length - MOST, 'more group')}: narrow the filter.</p> : null}
    </details>
  )
}
