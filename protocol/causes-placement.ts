/** Why a pod is not placed: one row a reason, said of one device, and the two sentences said of all. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const PLACEMENT_CAUSES = {
  'placement.none': entry(
    'spec',
    'when-resource-appears',
    '0 of {nodes} devices can take this pod: {summary}.',
    'Free or add what is missing, or ask for less.',
  ),
  'placement.no-nodes': entry('device', 'when-resource-appears', 'No device has joined yet.', 'Start an agent with a join file (skerry join).'),
  'placement.cpu.short': entry('spec', 'when-resource-appears', 'needs {needs} cpu, {has} free of {capacity}', 'Ask for less cpu or free some.'),
  'placement.memory.short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} memory, {has} free of {capacity}',
    'Ask for less memory or free some.',
  ),
  'placement.pids.short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} PIDs, {has} free of {capacity}',
    'Lower the pids limit or free some.',
  ),
  'placement.storage.short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} ephemeral storage, {has} free of {capacity}',
    'Ask for less or free some.',
  ),
  'placement.resource.short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} {resource}, {has} free of {capacity}',
    'Ask for less or choose another device.',
  ),
  'placement.pods.full': entry('device', 'when-resource-appears', 'runs {has} pods, the most it takes', 'Remove pods or add a device.'),
  'placement.selector.mismatch': entry(
    'spec',
    'when-target-changes',
    'label {key} is {has}, the pod wants {needs}',
    'Label the device or change the selector.',
  ),
  'placement.taint.untolerated': entry(
    'policy',
    'when-target-changes',
    'has the taint {taint} that the pod does not tolerate',
    'Add a toleration or remove the taint.',
  ),
  'placement.arch.mismatch': entry('spec', 'when-target-changes', 'is {has}, the pod wants {needs}', 'Use an image for this architecture.'),
  'placement.node.other': entry('spec', 'when-target-changes', 'the pod names the device {needs}', 'Remove spec.nodeName or wait for that device.'),
  'placement.node.cordoned': entry('user', 'when-target-changes', 'is cordoned', 'kubectl uncordon it.'),
  'placement.node.not-ready': entry('device', 'when-resource-appears', 'is not ready: {why}', 'Look at the device.'),
  'placement.cpu.absent': entry(
    'device',
    'when-resource-appears',
    'is placed on cpus {needs}, of which {missing} are not usable here (usable: {has})',
    'Bring the cpus back or let the pod be placed again.',
  ),
  'placement.cpu.not-yet-free': entry(
    'device',
    'when-resource-appears',
    'waits for CPUs {needs} of its own: {other} still runs there',
    'Nothing: it starts as soon as the other has moved or ended.',
  ),
  'placement.cpu.none-left': entry(
    'spec',
    'when-resource-appears',
    'wants CPUs {needs} for itself, and then none would be left for the other pods',
    'Ask for fewer CPUs, or move a pod with CPUs of its own elsewhere.',
  ),
  'placement.memory-node.absent': entry(
    'device',
    'when-resource-appears',
    'is placed on memory nodes {needs}, of which {missing} do not exist here',
    'Let the pod be placed again.',
  ),
  'placement.port.taken': entry('spec', 'when-resource-appears', 'host port {port} is taken by {by}', 'Choose another host port or device.'),
  'placement.affinity.node': entry(
    'spec',
    'when-target-changes',
    'does not match the node affinity: wants {needs}, has {has}',
    'Label the device or change the affinity.',
  ),
  'placement.affinity.pods-missing': entry(
    'spec',
    'when-resource-appears',
    'has no pod that this one must be near ({key} {domain})',
    'Place the pod it wants near first, or change podAffinity.',
  ),
  'placement.affinity.pods-present': entry(
    'spec',
    'when-resource-appears',
    'has a pod that this one must not be near ({key} {domain})',
    'Add a device in another place, or change podAntiAffinity.',
  ),
  'placement.affinity.pods-refuse': entry(
    'spec',
    'when-resource-appears',
    'has a pod whose anti-affinity keeps this one away ({key} {domain})',
    'Add a device in another place, or change the other pod.',
  ),
  'placement.spread.no-label': entry('spec', 'when-target-changes', 'has no label {key} to spread by', 'Label the device or change the spread.'),
  'placement.spread.skew': entry(
    'spec',
    'when-resource-appears',
    '{key} {domain} has {has} such pods, the emptiest has {least}: one more is a skew of {skew}, allowed is {max}',
    'Add a device in an emptier place or raise maxSkew.',
  ),
  'placement.gated': entry('user', 'when-target-changes', 'waits for its scheduling gates: {gates}', 'Remove the gates when it may run.'),
  'placement.scheduler.unknown': entry(
    'spec',
    'when-target-changes',
    'names the scheduler {name}, which this cloud does not have (it has {has})',
    'Change spec.schedulerName or add the profile.',
  ),
  'placement.network.class': entry(
    'spec',
    'when-resource-appears',
    'has a network of class {has}, the pod needs {needs}',
    'Choose another device or a lower class.',
  ),
} as const satisfies Record<string, CauseEntry>
