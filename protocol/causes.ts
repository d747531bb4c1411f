/**
 * The one cause table. API errors, reports, the local page, the console, the CLI and the docs all speak through it: what
 * happened, with numbers, whether waiting helps, and one thing to do. Codes are stable: general to specific.
 */
import { map, num, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

/** Does waiting help? never = somebody must change something; resource = when something becomes free or appears. */
export type Retry = 'never' | 'backoff' | 'when-target-changes' | 'when-resource-appears'
export type CauseClass = 'spec' | 'device' | 'network' | 'image' | 'policy' | 'cloud' | 'user'

export interface CauseEntry {
  readonly class: CauseClass
  readonly retry: Retry
  /** Sentence with `{fact}` slots, filled from the cause's facts. */
  readonly says: string
  /** One next action for a person. */
  readonly next: string
}

const entry = (cls: CauseClass, retry: Retry, says: string, next: string): CauseEntry => ({ class: cls, retry, says, next })

export const CAUSES = {
  'placement.none': entry('spec', 'when-resource-appears', '0 of {nodes} devices can take this pod: {summary}.', 'Free or add what is missing, or ask for less.'),
  'placement.no-nodes': entry('device', 'when-resource-appears', 'No device has joined yet.', 'Start an agent with a join file (skerry join).'),
  'placement.cpu.short': entry('spec', 'when-resource-appears', 'needs {needs} cpu, {has} free of {capacity}', 'Ask for less cpu or free some.'),
  'placement.memory.short': entry('spec', 'when-resource-appears', 'needs {needs} memory, {has} free of {capacity}', 'Ask for less memory or free some.'),
  'placement.pids.short': entry('spec', 'when-resource-appears', 'needs {needs} PIDs, {has} free of {capacity}', 'Lower the pids limit or free some.'),
  'placement.storage.short': entry('spec', 'when-resource-appears', 'needs {needs} ephemeral storage, {has} free of {capacity}', 'Ask for less or free some.'),
  'placement.resource.short': entry('spec', 'when-resource-appears', 'needs {needs} {resource}, {has} free of {capacity}', 'Ask for less or choose another device.'),
  'placement.pods.full': entry('device', 'when-resource-appears', 'runs {has} pods, the most it takes', 'Remove pods or add a device.'),
  'placement.selector.mismatch': entry('spec', 'when-target-changes', 'label {key} is {has}, the pod wants {needs}', 'Label the device or change the selector.'),
  'placement.taint.untolerated': entry('policy', 'when-target-changes', 'has the taint {taint} that the pod does not tolerate', 'Add a toleration or remove the taint.'),
  'placement.arch.mismatch': entry('spec', 'when-target-changes', 'is {has}, the pod wants {needs}', 'Use an image for this architecture.'),
  'placement.node.other': entry('spec', 'when-target-changes', 'the pod names the device {needs}', 'Remove spec.nodeName or wait for that device.'),
  'placement.node.cordoned': entry('user', 'when-target-changes', 'is cordoned', 'kubectl uncordon it.'),
  'placement.node.not-ready': entry('device', 'when-resource-appears', 'is not ready: {why}', 'Look at the device.'),
  'placement.port.taken': entry('spec', 'when-resource-appears', 'host port {port} is taken by {by}', 'Choose another host port or device.'),
  'desired.none': entry('cloud', 'when-resource-appears', 'No desired state has been received yet; nothing is changed.', 'Wait for the cloud, or check the link below.'),
  'desired.unknown': entry('device', 'when-resource-appears', 'The saved desired state is unreadable; everything that runs is kept and nothing is removed.', 'The cloud sends it again on contact; look at the disk.'),
  'desired.refused.empty': entry('cloud', 'when-target-changes', 'An empty desired state message was ignored.', 'Nothing to do: the cloud publishes again.'),
  'desired.refused.too-large': entry('cloud', 'when-target-changes', 'A desired state of {bytes} bytes was refused; at most {max} are taken.', 'Run fewer or smaller pods on this device.'),
  'desired.refused.unreadable': entry('cloud', 'when-target-changes', 'A desired state could not be read: {why}.', 'Check that cloud and agent versions match.'),
  'desired.refused.unsigned': entry('cloud', 'when-target-changes', 'A desired state without a valid signature was refused: {why}.', 'Somebody else may be writing to the broker; check who holds its credentials.'),
  'desired.refused.wrong-device': entry('cloud', 'when-target-changes', 'A desired state for {got} was refused by {have}.', 'Check the broker access rules.'),
  'desired.refused.stale': entry('cloud', 'when-target-changes', 'Desired state {got} is older than {have}, which is kept.', 'If the cloud was restored from a backup, raise its epoch.'),
  'desired.refused.conflict': entry('cloud', 'when-target-changes', 'Two different desired states carry the number {got}; the first is kept.', 'Two controllers run with one identity; stop one.'),
  'desired.refused.version': entry('cloud', 'when-target-changes', 'Desired state format {got} is newer than this agent knows ({have}).', 'Update the agent.'),
  'pod.unsupported': entry('spec', 'when-target-changes', '{field} {why}', 'Remove the field.'),
  'image.pull.failed': entry('image', 'backoff', 'Image {image} could not be pulled: {why}.', 'Check the name, and that this device reaches the registry.'),
  'image.pull.not-found': entry('image', 'backoff', 'Image {image} does not exist in its registry.', 'Check the name and tag.'),
  'image.pull.denied': entry('image', 'backoff', 'The registry refused {image}: {why}.', 'Check the registry credentials.'),
  'image.pull.stalled': entry('image', 'backoff', 'Pulling {image} stalled: nothing received for {seconds} s.', 'Check the link; it is tried again.'),
  'image.pull.disk-full': entry('image', 'backoff', 'Image {image} does not fit on the disk: {why}.', 'Free disk space on the device.'),
  'image.absent': entry('image', 'backoff', 'Image {image} is not on the device and imagePullPolicy is Never.', 'Load the image or change the policy.'),
  'container.create.failed': entry('spec', 'backoff', 'The engine refused to create the container: {why}.', 'Correct the field that the message names.'),
  'container.start.failed': entry('spec', 'backoff', 'The container could not be started: {why}.', 'Check command, ports and devices.'),
  'container.start.port-taken': entry('device', 'backoff', 'Host port {port} is already in use on the device.', 'Stop what uses it or choose another port.'),
  'container.stop.failed': entry('device', 'backoff', 'The container could not be stopped: {why}.', 'It is tried again.'),
  'container.remove.failed': entry('device', 'backoff', 'The container could not be removed: {why}.', 'It is tried again.'),
  'container.crash-loop': entry('spec', 'backoff', 'The container ended with code {code}, {restarts} restarts so far.', 'Read its log.'),
  'container.exited': entry('spec', 'never', 'The container ended with code {code} and is not restarted (restartPolicy {policy}).', 'Read its log.'),
  'container.waits-for-removal': entry('device', 'when-resource-appears', 'Waits until {other} is gone: {why}.', 'Nothing to do.'),
  'engine.unreachable': entry('device', 'backoff', 'The container engine does not answer since {since}: {why}.', 'Start the engine (systemctl start docker).'),
  'engine.timeout': entry('device', 'backoff', 'The container engine did not answer within {seconds} s ({call}).', 'Look at the load of the device.'),
  'engine.error': entry('device', 'backoff', 'The container engine answered with an error: {why}.', 'It is tried again.'),
  'storage.degraded': entry('device', 'backoff', 'The state file cannot be written: {why}. What runs is kept, new desired states are not applied.', 'Check the disk (full, read-only, worn out).'),
  'storage.fell-back': entry('device', 'never', 'The newest state file was damaged; the previous one is used.', 'Check the disk.'),
  'link.down': entry('network', 'backoff', 'No connection to the cloud since {since}: {why}.', 'Workloads go on. Check the network.'),
  'link.refused': entry('network', 'backoff', 'The broker refused this device: {why}.', 'Check the join file.'),
  'link.subscribe-refused': entry('network', 'backoff', 'The broker refused the subscription to {topic}.', 'Check the broker access rules.'),
  'node.silent': entry('network', 'when-resource-appears', 'Not heard since {since}; its pods are left as they are.', 'Check power and network of the device.'),
  'node.never-seen': entry('device', 'when-resource-appears', 'The device has never reported.', 'Start its agent with the join file.'),
  'node.identity-conflict': entry('device', 'never', 'Two agents report as {device} (sessions {a} and {b}).', 'One card was cloned; give one of them its own identity.'),
  'message.refused': entry('network', 'never', 'A message on {topic} was refused: {why}.', 'See which client sent it.'),
} as const satisfies Record<string, CauseEntry>

export type CauseCode = keyof typeof CAUSES

/** A cause as it travels: code and numbers. The sentence is made from the table by whoever shows it. */
export const CAUSE = obj({
  code: required(str({ max: 128 })),
  facts: map(str({ max: 1024 }), { max: 16 }),
  /** milliseconds from the report's `at` until the next try, when one is planned */
  retryInMs: num(),
})
export type WireCause = Infer<typeof CAUSE>

export interface Cause {
  readonly code: CauseCode
  readonly facts: Readonly<Record<string, string>>
  readonly retryInMs?: number
}

export function cause(code: CauseCode, facts: Readonly<Record<string, string | number>> = {}, retryInMs?: number): Cause {
  const text: Record<string, string> = {}
  for (const [key, value] of Object.entries(facts)) text[key] = String(value).slice(0, 1024)
  return retryInMs === undefined ? { code, facts: text } : { code, facts: text, retryInMs }
}

export function isCauseCode(code: string): code is CauseCode {
  return Object.hasOwn(CAUSES, code)
}

/** `says` with its slots filled. Unknown codes (from a newer agent) are shown as they are. */
export function causeSentence(cause: { readonly code: string; readonly facts?: Readonly<Record<string, string>> }): string {
  if (!isCauseCode(cause.code)) return cause.code
  const facts = cause.facts ?? {}
  return CAUSES[cause.code].says.replace(/\{([a-zA-Z]+)\}/g, (_, key: string) => (Object.hasOwn(facts, key) ? (facts[key] ?? '?') : '?'))
}

/** What to do next, and whether waiting helps. */
export function causeAdvice(code: string): { readonly next: string; readonly retry: Retry; readonly class: CauseClass } {
  return isCauseCode(code) ? CAUSES[code] : { next: 'Update the cloud: this cause is newer than it knows.', retry: 'backoff', class: 'device' }
}
