/** `skerry enroll`: one file for many devices, each of which fetches its own join file with the key in it. */
import { call, refuse } from './connection.ts'
import type { Connection } from './connection.ts'

export interface EnrollWish {
  readonly max: string | undefined
  readonly hours: string | undefined
  readonly prefix: string | undefined
  readonly labels: string | undefined
}

/** The file goes to standard output, what it is good for to standard error. */
export async function enroll(connection: Connection, wish: EnrollWish): Promise<number> {
  const said = Object.entries(wish).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]))
  const query = new URLSearchParams(said).toString()
  const answer = await call(connection, 'POST', `/skerry/v1/enroll-keys${query === '' ? '' : `?${query}`}`)
  if (answer.status >= 300) return refuse(answer)
  const { file, key } = answer.body as {
    readonly file: unknown
    readonly key: { readonly id: string; readonly expires: string; readonly max: number }
  }
  process.stdout.write(`${JSON.stringify(file, null, 2)}\n`)
  process.stderr.write(
    `Good for ${key.max} device${key.max === 1 ? '' : 's'} until ${key.expires}. Put it on each as its join.json, mode 0600.\n` +
      `To end it sooner: kubectl delete secret -n kube-system bootstrap-token-${key.id}\n`,
  )
  return 0
}
