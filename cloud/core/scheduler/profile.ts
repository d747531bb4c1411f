/** The default scheduler: every plugin of the table with its usual arguments and weight. */
import type { Profile } from './framework.ts'
import { DEFAULT_SCHEDULER, profilesOf } from './profile-config.ts'

export const DEFAULT_PROFILE: Profile = usual()

function usual(): Profile {
  const made = profilesOf({ profiles: [{ schedulerName: DEFAULT_SCHEDULER }] })
  const [profile] = made.ok ? made.profiles : []
  if (profile === undefined) throw new Error('the usual profile cannot be made')
  return profile
}
