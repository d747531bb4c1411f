/** Manifests that several real suites apply. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: unknown
}

function podTemplate(name: string, image: string, command: readonly string[]): { readonly metadata: object; readonly spec: object } {
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

/** @param place on this device only, which stops it when it is alone for longer */
export function deployment(
  name: string,
  image: string,
  replicas: number,
  place?: { readonly on: string; readonly stopAfterSeconds: number },
): Manifest {
  const { metadata, spec } = podTemplate(name, image, SLEEP)
  const annotations = place === undefined ? {} : { annotations: { 'skerry.dev/disconnect-stop-after': String(place.stopAfterSeconds) } }
  const nodeSelector = place === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': place.on } }
  const template = { metadata: { ...metadata, ...annotations }, spec: { ...spec, ...nodeSelector } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: { app: name } }, template },
  }
}

/** @returns a file for `kubectl apply -f` */
export function writeManifest(dir: string, ...manifests: readonly Manifest[]): string {
  const file = path.join(mkdtempSync(path.join(dir, 'manifest-')), 'manifest.json')
  writeFileSync(file, JSON.stringify(manifests.length === 1 ? manifests[0] : { apiVersion: 'v1', kind: 'List', items: manifests }))
  return file
}
