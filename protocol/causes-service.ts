/** Why a Service, or the network of a namespace, is not as wanted on a device. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const SERVICE_CAUSES = {
  'service.address-unusable': entry(
    'device',
    'backoff',
    'Service {service} cannot have its address {address} on this device: {why}.',
    'See which network of the device covers it (ip addr), and give that one another range.',
  ),
  'service.port-taken': entry(
    'device',
    'backoff',
    'Port {port} of Service {service} is taken on {at}: a program or a host port of the device holds it.',
    'Give one of the two another port.',
  ),
  'service.listen-failed': entry('device', 'backoff', 'Port {port} of Service {service} cannot be opened on {at}: {why}.', 'It is tried again.'),
  'service.failed': entry('device', 'backoff', 'Names and addresses of Services are not as wanted: {why}.', 'It is tried again.'),
  'network.name-taken': entry(
    'device',
    'backoff',
    'A network named {network} exists already and is not of this agent.',
    'Remove or rename it (docker network rm); it is not touched.',
  ),
  'network.no-range': entry(
    'device',
    'backoff',
    'No free address range is left for the network of namespace {namespace}: {why}.',
    'Remove unused networks (docker network prune), or give the engine more with default-address-pools.',
  ),
  'network.failed': entry('device', 'backoff', 'The network of namespace {namespace} cannot be made: {why}.', 'It is tried again.'),
} as const satisfies Record<string, CauseEntry>
