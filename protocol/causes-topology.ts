/** Why a pod's CPUs, memory or GPUs cannot be had together on a device. */
import { entry } from './cause-entry.ts'
import type { CauseEntry } from './cause-entry.ts'

export const TOPOLOGY_CAUSES = {
  'placement.numa.unknown': entry(
    'device',
    'when-resource-appears',
    'has not said how its CPUs and memory are laid out',
    'Update the agent, or ask for no NUMA policy.',
  ),
  'placement.numa.nodes-few': entry(
    'spec',
    'when-target-changes',
    'has {has} NUMA nodes with CPUs, the pod wants at least {needs}',
    'Choose another device or ask for fewer.',
  ),
  'placement.numa.too-large': entry(
    'device',
    'when-target-changes',
    'has {has} NUMA nodes, at most {needs} are aligned',
    'Ask for no NUMA policy on this device.',
  ),
  'placement.numa.split': entry(
    'spec',
    'when-resource-appears',
    'cannot give {needs} aligned ({policy}): free {has}',
    'Ask for less, free some, or use the policy best-effort.',
  ),
  'placement.cpu.exclusive-short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} CPUs of its own, {has} free',
    'Ask for fewer CPUs or free some.',
  ),
  'placement.cpu.cores-split': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} CPUs in whole cores of {threads}, {has} free in whole cores',
    'Ask for a multiple of the threads of a core, or drop full-pcpus-only.',
  ),
  'placement.ask.invalid': entry('spec', 'when-target-changes', 'the pod asks {what} = "{value}": {why}', 'Correct the annotation or the request.'),
  'placement.gpu.none': entry('spec', 'when-resource-appears', 'has no GPU that can be shared', 'Choose a device with a GPU.'),
  'placement.gpu.model': entry('spec', 'when-target-changes', 'has {has}, the pod wants {needs}', 'Name this model or choose another device.'),
  'placement.gpu.short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} idle GPUs, {has} of {capacity} are idle',
    'Ask for fewer or free some.',
  ),
  'placement.gpu.share-short': entry(
    'spec',
    'when-resource-appears',
    'needs {needs} of one GPU, the most left on one is {has}',
    'Ask for a smaller share or free some.',
  ),
  'placement.gpu.absent': entry(
    'device',
    'when-resource-appears',
    'is placed on GPUs {missing} that are not there',
    'Bring the GPUs back or let the pod be placed again.',
  ),
} as const satisfies Record<string, CauseEntry>
