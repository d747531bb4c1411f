/** Query parameters that every write understands. */
import type { FieldValidation } from './admission.ts'
import type { Call } from './api.ts'
import { badRequest } from './api-error.ts'

/** Without the parameter Skerry is strict: an old client that cannot ask for it still gets its typing errors named. */
export function strictnessOf(call: Call): FieldValidation {
  const value = call.query.get('fieldValidation') ?? ''
  if (value === '' || value === 'Strict') return 'Strict'
  if (value === 'Warn' || value === 'Ignore') return value
  throw badRequest(`fieldValidation: ${JSON.stringify(value)} is not supported; use "Strict", "Warn" or "Ignore"`)
}

export function isDryRun(call: Call): boolean {
  const values = call.query.getAll('dryRun').filter((value) => value !== '')
  if (values.length === 0) return false
  if (values.every((value) => value === 'All')) return true
  throw badRequest(`dryRun: ${JSON.stringify(values.join(','))} is not supported; use "All"`)
}
