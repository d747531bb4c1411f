/** Why a rollout waits, stopped, or leaves a device out. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const ROLLOUT_CAUSES = {
  'rollout.no-daemonset': entry(
    'spec',
    'when-target-changes',
    'There is no DaemonSet {daemonSet} in namespace {namespace}.',
    'Create the DaemonSet first; a rollout changes what is there.',
  ),
  'rollout.release.invalid': entry(
    'spec',
    'never',
    'The change of DaemonSet {daemonSet} does not give a valid pod template: {path} {why}.',
    'Delete this Rollout and create it again with the field corrected.',
  ),
  'rollout.release.same': entry(
    'spec',
    'never',
    'The release changes nothing: its templates are those that DaemonSet {daemonSet} has already.',
    'Change an image or another field.',
  ),
  'rollout.no-members': entry(
    'spec',
    'when-target-changes',
    'No device matches: {nodes} devices are known, {eligible} of them run the DaemonSets.',
    'Look at spec.target and at the labels of the devices.',
  ),
  'rollout.too-many-members': entry('spec', 'never', '{members} devices match, at most {max} fit one rollout.', 'Split them by a label.'),
  'rollout.busy': entry(
    'spec',
    'when-resource-appears',
    'Rollout {other} changes DaemonSet {daemonSet} and has not ended.',
    'Wait for it, or abort it: skerry rollout abort {other}.',
  ),
  'rollout.no-plan': entry(
    'spec',
    'never',
    'There is no plan {planId}; plans are kept for a day.',
    'Run skerry plan again and use the id it prints.',
  ),
  'rollout.plan-differs': entry(
    'spec',
    'never',
    'Plan {planId} does not hold: {why}.',
    'Use the file that the plan was made from, or run skerry plan again.',
  ),
  'rollout.not-eligible': entry(
    'spec',
    'when-target-changes',
    'None of the DaemonSets of this rollout runs here: a node selector or taint keeps them away.',
    'Look at spec.template.spec.nodeSelector of the DaemonSet and at the taints of the device.',
  ),
  'rollout.no-room': entry('device', 'never', 'The new revision does not fit here: it {why}.', 'See skerry why; then make another Rollout.'),
  'rollout.excluded': entry('user', 'never', 'Left out by an operator: {reason}.', 'Nothing to do.'),
  'rollout.aborted': entry('user', 'never', 'The rollout was aborted before this device changed.', 'Nothing to do.'),
  'rollout.node-gone': entry('device', 'never', 'The device was removed from the fleet.', 'Nothing to do.'),
  'rollout.deadline': entry(
    'device',
    'backoff',
    'Not healthy on the new revision {seconds} s after its start{why}.',
    'Look at the pod: skerry why; then skerry rollout retry, or exclude the device.',
  ),
  'rollout.silent': entry(
    'network',
    'when-resource-appears',
    'Silent since {since}.',
    'It goes on when the device is heard again; look at its link.',
  ),
  'rollout.silent-failed': entry(
    'network',
    'when-resource-appears',
    'Silent for {seconds} s, which spec.silence counts as a failure.',
    'Look at the link of the device; it goes on when it is heard.',
  ),
  'rollout.rolled-back': entry(
    'device',
    'when-target-changes',
    'The device went back to its last healthy revision: {why}.',
    'Correct the release and make another Rollout, or try once more: skerry rollout retry.',
  ),
  'rollout.approval': entry('user', 'never', 'Wave {wave} waits for approval.', 'skerry rollout approve NAME --wave {wave}'),
  'rollout.gate.healthy': entry(
    'policy',
    'backoff',
    'Wave {wave}: {healthy} of {base} devices are healthy ({percent} %), {wanted} % are wanted before the next wave.',
    'Nothing to do while devices are under way; skerry rollout promote goes on without waiting.',
  ),
  'rollout.gate.nobody-healthy': entry(
    'policy',
    'when-resource-appears',
    'Wave {wave}: nobody has shown that the release works: {offline} devices are silent and none is healthy.',
    'Wait for a device to return, or go on without: skerry rollout promote.',
  ),
  'rollout.gate.passed': entry(
    'policy',
    'never',
    'Wave {wave}: {healthy} of {base} devices are healthy ({percent} %, wanted {wanted} %).',
    'Nothing to do.',
  ),
  'rollout.gate.missed': entry(
    'policy',
    'when-target-changes',
    'Wave {wave} came to its end with {healthy} of {base} devices healthy ({percent} %), {wanted} % are wanted.',
    'Look at its failures; then retry, exclude a group and resume, or abort.',
  ),
  'rollout.failures.number': entry(
    'policy',
    'when-target-changes',
    '{where}: {failures} failures, more than the {max} allowed.',
    'Look at the failures by cause; then exclude a group and resume, retry, or abort.',
  ),
  'rollout.failures.percent': entry(
    'policy',
    'when-target-changes',
    '{where}: {percent} % failures ({failures} of {started} devices that started), more than the {max} % allowed.',
    'Look at the failures by cause; then exclude a group and resume, retry, or abort.',
  ),
  'rollout.paused': entry('user', 'never', 'Paused by {by}.', 'skerry rollout resume NAME'),
  'rollout.wave.rolled-back': entry(
    'user',
    'never',
    'Wave {wave} was rolled back.',
    'Abort the rollout, or go on with later waves: skerry rollout promote.',
  ),
} as const satisfies Record<string, CauseEntry>
