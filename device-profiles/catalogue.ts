/** The profiles this version ships: the closest match wins, so order only decides between equals. */
import { JETSONS } from './jetson.ts'
import { RASPBERRY_PIS } from './raspberry-pi.ts'
import type { DeviceProfile } from './schema.ts'
import { SERVERS } from './servers.ts'
import { SOC_BOARDS } from './soc-boards.ts'
import { X86_GATEWAYS } from './x86-gateways.ts'

const GENERIC: readonly DeviceProfile[] = [
  { name: 'generic-x86-64', title: 'x86-64 computer', match: { arch: ['amd64'] } },
  { name: 'generic-arm64', title: '64-bit ARM computer', match: { arch: ['arm64'] } },
  { name: 'generic-arm', title: '32-bit ARM computer', match: { arch: ['arm'] } },
  { name: 'generic-riscv64', title: '64-bit RISC-V computer', match: { arch: ['riscv64'] } },
]

export const PROFILES: readonly DeviceProfile[] = [...RASPBERRY_PIS, ...JETSONS, ...SOC_BOARDS, ...X86_GATEWAYS, ...SERVERS, ...GENERIC]
