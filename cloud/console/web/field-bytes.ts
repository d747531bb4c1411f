/** The state of every device as it was told: one byte each, in groups. */
import type { FieldGroup, FieldPart } from '../live-protocol.ts'

export class FieldBytes {
  readonly bytes: Uint8Array
  readonly groups: readonly FieldGroup[]
  readonly issues: readonly string[]

  constructor(bytes: Uint8Array, groups: readonly FieldGroup[], issues: readonly string[]) {
    this.bytes = bytes
    this.groups = groups
    this.issues = issues
  }

  /** What holds after a message. Changes are written into the same bytes; the object is another one, so that it is drawn again. */
  static after(before: unknown, part: FieldPart): FieldBytes | undefined {
    if ('bytes' in part) return new FieldBytes(decode(part.bytes), part.groups, part.issues)
    if (!(before instanceof FieldBytes)) return undefined
    for (let at = 0; at + 1 < part.changes.length; at += 2) before.bytes[part.changes[at] ?? 0] = part.changes[at + 1] ?? 0
    return new FieldBytes(before.bytes, part.groups, before.issues)
  }
}

function decode(base64: string): Uint8Array {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at)
  return bytes
}
