/** How many devices stand how, as columns of a table: one for each standing, worst first. */
import { STANDINGS, STANDING_ORDER } from '../../vocabulary.ts'
import { grouped } from '../words.ts'

export function StandingHeads() {
  return (
    <>
      {STANDING_ORDER.map((standing) => (
        <th key={standing} scope="col" title={STANDINGS[standing].means}>
          {standing}
        </th>
      ))}
    </>
  )
}

/** @param standings counts in the order of the heads */
export function StandingCells({ standings }: { readonly standings: readonly number[] }) {
  return (
    <>
      {standings.map((count, at) => (
        <td key={STANDING_ORDER[at]} class="num">
          {count === 0 ? '–' : grouped(count)}
        </td>
      ))}
    </>
  )
}
