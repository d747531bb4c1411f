import { isIP } from 'node:net'

/**
 * May a request with this Host header be answered? IP literals, localhost and the device's own names only: a web site that
 * points its own name at this address (DNS rebinding) is refused.
 */
export function hostAllowed(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return false
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header)
  if (match === null) return false
  const [, six, plain] = match
  if (six !== undefined) return isIP(six) === 6
  const host = (plain ?? '').toLowerCase().replace(/\.$/, '')
  return isIP(host) === 4 || host === 'localhost' || names.some((name) => host === name.toLowerCase() || host === `${name.toLowerCase()}.local`)
}
