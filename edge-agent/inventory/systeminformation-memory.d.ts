/** The one part of systeminformation that is loaded: the whole costs four times the memory, and most of it starts processes. */
declare module 'systeminformation/lib/memory.js' {
  import type { Systeminformation } from 'systeminformation'

  /** reads /proc/meminfo; starts no process */
  export function mem(): Promise<Systeminformation.MemData>
}
