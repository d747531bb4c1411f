/** Manifests that several real suites apply. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: unknown
}

function podTemplate(name: string, image: string, command: readonly string[]): unknown {
  return {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command, resources: { limits: { memory: '32Mi' } } }] },
  }
}

const SLEEP: readonly string[] = ['sleep', '86400']

export function daemonSet(name: string, image: string): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: podTemplate(name, image, SLEEP),
    },
  }
}

export function deployment(name: string, image: string, replicas: number): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: podTemplate(name, image, SLEEP) },
  }
}

/** @returns a file for `kubectl apply -f` */
export function writeManifest(dir: string, ...manifests: readonly Manifest[]): string {
  const file = path.join(mkdtempSync(path.join(dir, 'manifest-')), 'manifest.json')
  writeFileSync(file, JSON.stringify(manifests.length === 1 ? manifests[0] : { apiVersion: 'v1', kind: 'List', items: manifests }))
  return file
}
