/**
 * A disk whose power can be cut between any two operations. Names that were not synced with their directory may or may not
 * have reached the medium, each on its own; bytes that were not synced may be lost, cut short or zeros.
 */
import path from 'node:path'
import type { Disk } from '../../edge-agent/store/disk.ts'

interface Inode {
  bytes: Uint8Array
  synced: boolean
  /** how many of the bytes were synced before the write in flight */
  safe?: number
}
/** one change of names that is not durable yet; all of it reaches the medium or nothing */
type NameChange = readonly { readonly name: string; readonly inode: Inode | null }[]

export class PowerCut extends Error {}
export type Torn = 'empty' | 'half' | 'zeros' | 'whole'

export class FakeDisk implements Disk {
  /** operations done so far */
  operations = 0
  /** the power fails when this many operations are done */
  cutAfter = Number.POSITIVE_INFINITY
  /** answers every change with this error while it is set */
  failing: NodeJS.ErrnoException | null = null
  readonly #durable: Map<string, Inode>
  readonly #live: Map<string, Inode>
  #pending: NameChange[] = []

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#durable = new Map([...files].map(([name, bytes]) => [name, { bytes, synced: true }]))
    this.#live = new Map(this.#durable)
  }

  get pendingNames(): number {
    return this.#pending.length
  }

  /** what a restart finds: the pending name changes whose bit is set in `kept` made it, unsynced bytes look like `torn` */
  afterCut(kept: number, torn: Torn): FakeDisk {
    const names = new Map(this.#durable)
    this.#pending.forEach((change, index) => {
      if ((kept & (1 << index)) !== 0) apply(names, change)
    })
    return new FakeDisk(new Map([...names].map(([name, inode]) => [name, inode.synced ? inode.bytes : tear(inode, torn)])))
  }

  files(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#live].map(([name, inode]) => [name, inode.bytes]))
  }

  damage(file: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const inode = this.#live.get(file)
    if (inode === undefined) throw new Error(`no file ${file} to damage`)
    inode.bytes = change(inode.bytes)
  }

  async read(file: string): Promise<Uint8Array | null> {
    return this.#live.get(file)?.bytes ?? null
  }

  async list(dir: string): Promise<readonly string[]> {
    return [...this.#live.keys()].filter((name) => path.dirname(name) === dir).map((name) => path.basename(name))
  }

  async makeDirectory(): Promise<void> {
    this.#operation()
  }

  async createSynced(file: string, bytes: Uint8Array): Promise<void> {
    this.#operation()
    if (this.#live.has(file)) throw Object.assign(new Error(`EEXIST: ${file}`), { code: 'EEXIST' })
    const inode: Inode = { bytes: new Uint8Array(), synced: false }
    this.#change([{ name: file, inode }])
    this.#operation()
    inode.bytes = bytes
    this.#operation()
    inode.synced = true
  }

  async appendSynced(file: string, bytes: Uint8Array): Promise<void> {
    this.#operation()
    const inode = this.#inode(file)
    inode.safe = inode.bytes.byteLength
    inode.synced = false
    inode.bytes = Buffer.concat([inode.bytes, bytes])
    this.#operation()
    inode.synced = true
  }

  async link(from: string, to: string): Promise<void> {
    this.#operation()
    const inode = this.#inode(from)
    if (this.#live.has(to)) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST' })
    this.#change([{ name: to, inode }])
  }

  async rename(from: string, to: string): Promise<void> {
    this.#operation()
    this.#change([
      { name: from, inode: null },
      { name: to, inode: this.#inode(from) },
    ])
  }

  async remove(file: string): Promise<void> {
    this.#operation()
    if (this.#live.has(file)) this.#change([{ name: file, inode: null }])
  }

  async syncDirectory(): Promise<void> {
    this.#operation()
    for (const change of this.#pending) apply(this.#durable, change)
    this.#pending = []
  }

  #operation(): void {
    if (this.operations >= this.cutAfter) throw new PowerCut('the power is off')
    if (this.failing !== null) throw this.failing
    this.operations += 1
  }

  #change(change: NameChange): void {
    this.#pending.push(change)
    apply(this.#live, change)
  }

  #inode(file: string): Inode {
    const inode = this.#live.get(file)
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${file}`), { code: 'ENOENT' })
    return inode
  }
}

function apply(names: Map<string, Inode>, change: NameChange): void {
  for (const { name, inode } of change) {
    if (inode === null) names.delete(name)
    else names.set(name, inode)
  }
}

function tear(inode: Inode, torn: Torn): Uint8Array {
  const safe = inode.safe ?? 0
  return Buffer.concat([inode.bytes.subarray(0, safe), tornBytes(inode.bytes.subarray(safe), torn)])
}

function tornBytes(bytes: Uint8Array, torn: Torn): Uint8Array {
  if (torn === 'empty') return new Uint8Array()
  if (torn === 'half') return bytes.slice(0, bytes.byteLength >> 1)
  return torn === 'zeros' ? new Uint8Array(bytes.byteLength) : bytes
}
