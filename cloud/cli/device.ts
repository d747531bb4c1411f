/** `skerry device bundle` and `skerry device restart-agent`: what the console's buttons on a device do. */
import { writeFileSync } from 'node:fs'
import { isRecord } from '../../protocol/shape.ts'
import { callForBytes, json, refuse } from './connection.ts'
import type { Connection } from './connection.ts'

export interface DeviceAsked {
  readonly verb: string | undefined
  readonly name: string | undefined
  readonly reason: string | undefined
  /** where diagnostics go; `-` = standard output */
  readonly output: string | undefined
}

/** The device tries its whole way to the cloud before it answers. */
const PATIENCE_MS = 120_000

/** A string = wrong usage; else the exit code. */
export async function device(connection: Connection, { verb, name, reason, output }: DeviceAsked): Promise<number | string> {
  if (verb !== 'bundle' && verb !== 'restart-agent') return 'device takes bundle or restart-agent; kubectl has cordon, drain and uncordon'
  if (name === undefined) return `device ${verb} needs the name of a device`
  if (verb === 'restart-agent' && reason === undefined) return 'device restart-agent needs --reason TEXT: it is kept in the audit log'
  const target = `/skerry/v1/devices/${encodeURIComponent(name)}/${verb}`
  const { status, bytes } = await callForBytes(connection, 'POST', target, { reason: reason ?? '' }, { patienceMs: PATIENCE_MS })
  if (status >= 300) return refuse({ status, body: json(bytes.toString('utf8')) })
  return verb === 'bundle' ? save(bytes, output ?? `skerry-bundle-${name}.json.gz`) : tell(json(bytes.toString('utf8')))
}

function save(bytes: Buffer, file: string): number {
  try {
    // logs and addresses of a site: for its owner alone
    writeFileSync(file === '-' ? 1 : file, bytes, { mode: 0o600 })
  } catch (error) {
    process.stderr.write(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
  if (file !== '-') process.stderr.write(`saved ${file}: gzipped JSON without secrets, ${Math.ceil(bytes.byteLength / 1024)} KiB\n`)
  return 0
}

function tell(body: unknown): number {
  process.stdout.write(`${isRecord(body) ? String(body['says']) : ''}\n`)
  return 0
}
