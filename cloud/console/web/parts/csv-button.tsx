import { useState } from 'preact/hooks'
import type { TableName } from '../../view-model.ts'
import { saveFile } from '../save-file.ts'

/** The list that is seen, whole, with its filter and order, as a file for a spreadsheet. */
export function CsvButton({ table, q, sort }: { readonly table: TableName; readonly q: string; readonly sort: string }) {
  const [state, setState] = useState('')
  const save = async (): Promise<void> => {
    setState('Saving…')
    const asked = new URLSearchParams({ table, q, sort })
    setState((await saveFile(`/console/api/csv?${asked.toString()}`, `skerry-${table}.csv`)) ?? '')
  }
  return (
    <>
      <span class="muted small" role="status">
        {state}
      </span>
      <button type="button" title="Everything that the filter finds, one row each" onClick={() => void save()}>
        Save as CSV
      </button>
    </>
  )
}
