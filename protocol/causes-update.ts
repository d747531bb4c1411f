/** Why a device does not run the revision that is asked for, or does not run a pod at all while it is on its own. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const UPDATE_CAUSES = {
  'update.downloading': entry(
    'device',
    'when-resource-appears',
    'The images of the new revision are fetched while the one before runs.',
    'Nothing to do.',
  ),
  'update.switching': entry('device', 'when-resource-appears', 'The switch to the new revision is being written down.', 'Nothing to do.'),
  'update.locked': entry(
    'policy',
    'when-resource-appears',
    '{owner} locked the update until {until}: {reason}.',
    'Wait, remove the annotation skerry.dev/update-lock, or update now on the device page.',
  ),
  'update.rolled-back': entry(
    'image',
    'when-target-changes',
    'Revision {revision} was not ready in time and the device returned to {to}: {why}.',
    'Correct the workload; this revision is not tried again here.',
  ),
  'policy.disconnect.stopped': entry(
    'policy',
    'when-resource-appears',
    'Stopped: it may run only {after} s without the cloud, because another one may take its place then.',
    'Nothing to do: it goes on when the cloud is reached; check the link.',
  ),
  'policy.disconnect.unsure': entry(
    'policy',
    'when-resource-appears',
    'It waits for the cloud: this device does not know how long it was off, and another one may have taken its place.',
    'Nothing to do: it goes on when the cloud is reached; check the link.',
  ),
  'policy.disconnect.standby': entry(
    'policy',
    'when-resource-appears',
    'Another one took its place while this device was silent; it waits until that has ended.',
    'Nothing to do.',
  ),
  'policy.window.closed': entry(
    'policy',
    'when-resource-appears',
    'The maintenance window {window} ({zone}) is closed; it opens {opens}.',
    'Wait, or update now on the device page.',
  ),
  'policy.window.clock': entry(
    'policy',
    'when-resource-appears',
    'The maintenance window {window} stays closed because the clock cannot be trusted: {why}',
    'Set the clock of the device, or update now on the device page.',
  ),
  'policy.window.unreadable': entry(
    'spec',
    'when-target-changes',
    'The maintenance window {window} in zone {zone} is not known on this device.',
    'Correct the window or its time zone.',
  ),
  'override.local.hold-update': entry(
    'user',
    'when-target-changes',
    '{owner} holds updates on the device until {until}: {reason}.',
    'End the hold on the device page.',
  ),
  'override.local.update-now': entry(
    'user',
    'when-target-changes',
    '{owner} lets it update in spite of locks and windows until {until}: {reason}.',
    'End the override on the device page.',
  ),
} as const satisfies Record<string, CauseEntry>
