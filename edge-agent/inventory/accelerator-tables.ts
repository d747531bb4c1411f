/** What is known of devices that compute beside the CPUs, by the name of their driver: kind, resource, what a container needs. */
import type { Accelerator } from '../../protocol/inventory.ts'

export interface DriverFacts {
  readonly kind: Accelerator['kind']
  /** the name that the vendor's Kubernetes plugin uses, where there is one */
  readonly resource: string
  readonly vendor: string
}

/** GPUs that show a DRM card. Display controllers (vc4, rockchip-drm, ast) compute nothing and are not here. */
export const DRM_DRIVERS: Readonly<Record<string, DriverFacts>> = {
  amdgpu: { kind: 'gpu', resource: 'amd.com/gpu', vendor: 'amd' },
  i915: { kind: 'gpu', resource: 'gpu.intel.com/i915', vendor: 'intel' },
  xe: { kind: 'gpu', resource: 'gpu.intel.com/xe', vendor: 'intel' },
  panfrost: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'arm' },
  panthor: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'arm' },
  lima: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'arm' },
  v3d: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'broadcom' },
  etnaviv: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'vivante' },
  msm: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'qualcomm' },
  msm_dpu: { kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'qualcomm' },
  rknpu: { kind: 'npu', resource: 'rockchip.com/npu', vendor: 'rockchip' },
  RKNPU: { kind: 'npu', resource: 'rockchip.com/npu', vendor: 'rockchip' },
}

/** Devices of the kernel's accel class. */
export const ACCEL_DRIVERS: Readonly<Record<string, DriverFacts>> = {
  intel_vpu: { kind: 'npu', resource: 'npu.intel.com/accel', vendor: 'intel' },
  amdxdna: { kind: 'npu', resource: 'amd.com/npu', vendor: 'amd' },
  habanalabs: { kind: 'npu', resource: 'habana.ai/gaudi', vendor: 'habana' },
  rocket: { kind: 'npu', resource: 'rockchip.com/npu', vendor: 'rockchip' },
  qaic: { kind: 'npu', resource: 'qualcomm.com/qaic', vendor: 'qualcomm' },
}

/** By vendor, where a copy of sysfs holds no link to the driver. */
export const ACCEL_VENDORS: Readonly<Record<string, DriverFacts>> = {
  '8086': { kind: 'npu', resource: 'npu.intel.com/accel', vendor: 'intel' },
  '1022': { kind: 'npu', resource: 'amd.com/npu', vendor: 'amd' },
}

/** Character devices of drivers outside the kernel tree: class folder, name of its devices. */
export const CHARACTER_CLASSES: readonly (DriverFacts & { readonly dir: string; readonly name: RegExp; readonly driver: string })[] = [
  { dir: '/sys/class/apex', name: /^apex_\d+$/, driver: 'apex', kind: 'tpu', resource: 'coral.ai/edgetpu', vendor: 'google' },
  { dir: '/sys/class/hailo_chardev', name: /^hailo\d+$/, driver: 'hailo', kind: 'npu', resource: 'hailo.ai/npu', vendor: 'hailo' },
  { dir: '/sys/class/misc', name: /^mali\d+$/, driver: 'mali', kind: 'integrated-gpu', resource: 'skerry.dev/gpu', vendor: 'arm' },
  { dir: '/sys/class/graphics_class', name: /^galcore$/, driver: 'galcore', kind: 'npu', resource: 'nxp.com/npu', vendor: 'vivante' },
]

/** Coral's USB stick: before and after it was given its firmware. */
export const USB_ACCELERATORS: Readonly<Record<string, DriverFacts>> = {
  '1a6e:089a': { kind: 'tpu', resource: 'coral.ai/edgetpu', vendor: 'google' },
  '18d1:9302': { kind: 'tpu', resource: 'coral.ai/edgetpu', vendor: 'google' },
}
