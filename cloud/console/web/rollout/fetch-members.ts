import type { MembersPage } from '../../rollout-view.ts'
import { call } from '../session.ts'

/** Members of a rollout, as `skerry rollout members` reads them. @param path of the rollout in the API */
export async function fetchMembers(path: string, query: Readonly<Record<string, string>>, abort?: AbortSignal): Promise<MembersPage> {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  const response = await call(`${path}/members?${asked.toString()}`, {}, abort)
  if (!response.ok) throw new Error(`the cloud answered ${response.status}`)
  return (await response.json()) as MembersPage
}
