/** What a pod needs from around it: configuration, volumes, permission of the device, its own earlier containers. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const POD_CAUSES = {
  'config.missing': entry(
    'spec',
    'when-target-changes',
    '{kind} {name} {what}, and the pod cannot start without it.',
    'Create it in the namespace of the pod, or mark the reference optional.',
  ),
  'config.unreadable': entry('spec', 'when-target-changes', '{field} cannot be resolved: {why}.', 'Correct the field.'),
  'policy.device.denied': entry(
    'policy',
    'when-resource-appears',
    'This device does not allow {what}.',
    'If it should, name it in {file} on the device and restart the agent.',
  ),
  'pod.waits-for-network': entry('device', 'when-resource-appears', 'Waits for the network of its pod.', 'Nothing to do.'),
  'pod.waits-for-init': entry(
    'device',
    'when-resource-appears',
    'Waits for init container {container}.',
    'Nothing to do; read its log if it takes long.',
  ),
  'volume.failed': entry('device', 'backoff', 'Volume {volume} could not be prepared: {why}.', 'Check the path and the disk of the device.'),
  'volume.limit': entry(
    'spec',
    'never',
    'Volume {volume} of the pod holds {has}, more than its sizeLimit of {limit}; the pod was given up.',
    'Raise the sizeLimit, or write less.',
  ),
  'volume.no-tmpfs': entry(
    'device',
    'when-resource-appears',
    'Secrets need a folder that is never on disk, and none of {tried} is on tmpfs.',
    'Mount a tmpfs at one of them.',
  ),
} as const satisfies Record<string, CauseEntry>
