/** What happens between a device and the cloud: the link, silence, whose identity it is, live sessions. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const CONTACT_CAUSES = {
  'link.certificate': entry(
    'network',
    'backoff',
    'No connection to the cloud since {since}, because its certificate is not accepted: {why}.',
    'Workloads go on, and it is tried again. Check the clock of this device, then the certificate of the broker.',
  ),
  'link.down': entry('network', 'backoff', 'No connection to the cloud since {since}: {why}.', 'Workloads go on. Check the network.'),
  'node.silent': entry(
    'network',
    'when-resource-appears',
    'Not heard since {since}; its pods are left as they are.',
    'Check power and network of the device.',
  ),
  'node.never-seen': entry('device', 'when-resource-appears', 'The device has never reported.', 'Start its agent with the join file.'),
  'node.identity-conflict': entry(
    'device',
    'never',
    'Two agents report as {device} (sessions {a} and {b}).',
    'One card was cloned; give one of them its own identity.',
  ),
  'enroll.key.unknown': entry(
    'user',
    'never',
    'The enrolment key {key} is not known here.',
    'Make a new file: skerry enroll. The old one was deleted, or is of another cloud.',
  ),
  'enroll.key.ended': entry('user', 'never', 'The enrolment key {key} was good until {when} UTC.', 'Make a new file: skerry enroll --hours N.'),
  'enroll.key.full': entry(
    'user',
    'never',
    'The enrolment key {key} has let in {used} devices, and is good for {max}.',
    'Make a new file: skerry enroll --max N.',
  ),
  'enroll.device.known': entry(
    'user',
    'when-target-changes',
    'There is a device {device} already, for {identity}.',
    'If it was flashed anew: kubectl annotate node {device} skerry.dev/enroll-again=true. If it is another one: give it its own file, skerry join DEVICE.',
  ),
  'enroll.no-identity': entry(
    'device',
    'never',
    'The device has neither a serial number nor a network card with an address of its own.',
    'Give it its own file: skerry join DEVICE.',
  ),
  'session.no-answer': entry(
    'network',
    'backoff',
    'Device {device} did not open the session within {seconds} s.',
    'Check that the device reaches {url}, and that its join file names it (skerry join writes it).',
  ),
  'session.port.closed': entry(
    'spec',
    'backoff',
    'Port {port} of the container takes no connection: {why}.',
    'See that the program listens on all its addresses, not only on 127.0.0.1.',
  ),
  'session.logs.none': entry('spec', 'never', '{why}.', 'Ask for another part of the log.'),
  'message.refused': entry('network', 'never', 'A message on {topic} was refused: {why}.', 'See which client sent it.'),
} as const satisfies Record<string, CauseEntry>
