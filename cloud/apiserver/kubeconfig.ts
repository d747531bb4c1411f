/** The file that lets kubectl talk to this server. */
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { stringify } from 'yaml'

export interface KubeconfigFacts {
  /** `https://127.0.0.1:6443` */
  readonly server: string
  readonly token: string
  readonly caPem: string
}

export function kubeconfig(facts: KubeconfigFacts): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'skerry', cluster: { server: facts.server, 'certificate-authority-data': Buffer.from(facts.caPem, 'utf8').toString('base64') } },
      ],
      users: [{ name: 'skerry-admin', user: { token: facts.token } }],
      contexts: [{ name: 'skerry', context: { cluster: 'skerry', user: 'skerry-admin', namespace: 'default' } }],
      'current-context': 'skerry',
    },
    { lineWidth: 0 },
  )
}

/** Readable by the owner only: it holds the token. Replaces an older file as a whole. */
export async function writeKubeconfig(path: string, facts: KubeconfigFacts): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.${process.pid}.new`
  const file = await open(next, 'w', 0o600)
  try {
    await file.writeFile(kubeconfig(facts))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(next, path)
}
