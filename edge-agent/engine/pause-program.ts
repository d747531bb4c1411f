/**
 * The program of a sandbox: it sleeps for ever. It is made here, byte by byte, because a device may have no registry and an
 * agent in one file cannot carry a program for each processor. One static ELF of about a hundred bytes, one loop around a
 * system call that waits for a signal. As process 1 it gets no signal that it has no handler for, so that only SIGKILL
 * ends it: sandboxes are stopped without a grace period.
 */

/** By the engine's name of its processor (GOARCH). */
interface Machine {
  readonly elf: number
  readonly bits: 32 | 64
  readonly flags: number
  readonly code: readonly number[]
}

const words = (...list: readonly number[]): readonly number[] =>
  list.flatMap((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24])

const MACHINES: Readonly<Record<string, Machine>> = {
  // push 34 (pause); pop rax; syscall; jmp to the push
  amd64: { elf: 0x3e, bits: 64, flags: 0, code: [0x6a, 0x22, 0x58, 0x0f, 0x05, 0xeb, 0xf9] },
  // push 29 (pause); pop eax; int 0x80; jmp to the push
  386: { elf: 0x03, bits: 32, flags: 0, code: [0x6a, 0x1d, 0x58, 0xcd, 0x80, 0xeb, 0xf9] },
  // x0..x3 = 0; x8 = 73 (ppoll: there is no pause); svc; b to the first
  arm64: { elf: 0xb7, bits: 64, flags: 0, code: words(0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800928, 0xd4000001, 0x17fffffa) },
  // r7 = 29 (pause); svc; b to the first
  arm: { elf: 0x28, bits: 32, flags: 0x05000000, code: words(0xe3a0701d, 0xef000000, 0xeafffffc) },
  // a0..a3 = 0; a7 = 73 (ppoll); ecall; j to the first
  riscv64: { elf: 0xf3, bits: 64, flags: 0, code: words(0x00000513, 0x00000593, 0x00000613, 0x00000693, 0x04900893, 0x00000073, 0xfe9ff06f) },
}

const LOAD_AT = 0x10000

/** null for a processor that it is not known for. */
export function pauseProgram(arch: string): Buffer | null {
  const machine = Object.hasOwn(MACHINES, arch) ? MACHINES[arch] : undefined
  if (machine === undefined) return null
  const { bits, code } = machine
  const [header, segment] = bits === 64 ? [64, 56] : [52, 32]
  const program = Buffer.alloc(header + segment + code.length)
  const entry = LOAD_AT + header + segment
  program.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1], 0)
  program.writeUInt16LE(2, 16)
  program.writeUInt16LE(machine.elf, 18)
  program.writeUInt32LE(1, 20)
  if (bits === 64) header64(program, entry, machine.flags)
  else header32(program, entry, machine.flags)
  program.set(code, header + segment)
  return program
}

function header64(program: Buffer, entry: number, flags: number): void {
  program.writeBigUInt64LE(BigInt(entry), 24)
  program.writeBigUInt64LE(64n, 32)
  program.writeUInt32LE(flags, 48)
  program.writeUInt16LE(64, 52)
  program.writeUInt16LE(56, 54)
  program.writeUInt16LE(1, 56)
  // PT_LOAD, readable and executable, the whole file
  program.writeUInt32LE(1, 64)
  program.writeUInt32LE(5, 68)
  program.writeBigUInt64LE(BigInt(LOAD_AT), 80)
  program.writeBigUInt64LE(BigInt(LOAD_AT), 88)
  program.writeBigUInt64LE(BigInt(program.length), 96)
  program.writeBigUInt64LE(BigInt(program.length), 104)
  program.writeBigUInt64LE(0x1000n, 112)
}

function header32(program: Buffer, entry: number, flags: number): void {
  program.writeUInt32LE(entry, 24)
  program.writeUInt32LE(52, 28)
  program.writeUInt32LE(flags, 36)
  program.writeUInt16LE(52, 40)
  program.writeUInt16LE(32, 42)
  program.writeUInt16LE(1, 44)
  program.writeUInt32LE(1, 52)
  program.writeUInt32LE(LOAD_AT, 60)
  program.writeUInt32LE(LOAD_AT, 64)
  program.writeUInt32LE(program.length, 68)
  program.writeUInt32LE(program.length, 72)
  program.writeUInt32LE(5, 76)
  program.writeUInt32LE(0x1000, 80)
}

/** A tar archive with the program as `/pause`: what `docker import` takes. */
export function pauseArchive(program: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write('pause', 0)
  header.write('0000755\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${program.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = Buffer.alloc(((512 - (program.length % 512)) % 512) + 1024)
  return Buffer.concat([header, program, padding])
}
