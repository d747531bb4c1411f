/** What a container gets from its pod, as the engine is told; and what travels to a device beside its pods. */
import { describe, expect, it } from 'vitest'
import { buildDesired } from '../cloud/core/desired.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { ContainerPlan } from '../edge-agent/core/model.ts'
import { toDocker } from '../edge-agent/engine/to-docker.ts'
import { containerHashes } from '../protocol/desired-state.ts'
import { contractPlan } from './contract/engine.contract.ts'

const plan = (more: Partial<ContainerPlan>): ContainerPlan => ({
  ...contractPlan('p', 'busybox:1', { ports: [{ containerPort: 80, hostPort: 8080 }] }),
  ...more,
})

describe('options of a pod', () => {
  it('publishes ports and names on the sandbox only', () => {
    const holder = toDocker(plan({ network: 'holder' }))
    expect(holder.HostConfig).toMatchObject({ NetworkMode: 'default', IpcMode: 'shareable', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } })
    const joined = toDocker(plan({ network: { join: 'abc' } }))
    expect(joined.HostConfig).toMatchObject({ NetworkMode: 'container:abc', IpcMode: 'container:abc' })
    expect(joined.HostConfig.PortBindings).toBeUndefined()
    expect(joined.Hostname).toBeUndefined()
    expect(joined.Labels['dev.skerry.sandbox']).toBe('abc')
  })

  it('never expands what comes from elsewhere', () => {
    const env = [
      { name: 'A', value: 'x' },
      { name: 'SECRET', value: '$(A)', literal: true as const },
      { name: 'B', value: '$(A)$(SECRET)' },
    ]
    expect(toDocker(plan({ env })).Env).toEqual(['A=x', 'SECRET=$(A)', 'B=x$(A)'])
  })

  it('keeps privileges away unless they are written', () => {
    expect(toDocker(plan({})).HostConfig.SecurityOpt).toEqual(['no-new-privileges'])
    const container = { ...contractPlan('p', 'busybox:1').container, securityContext: { privileged: true } }
    expect(toDocker(plan({ container })).HostConfig).toMatchObject({ Privileged: true, SecurityOpt: [] })
  })

  it('mounts claims without a pod, so that they are never removed with one', () => {
    const mounts: ContainerPlan['mounts'] = [
      { kind: 'volume', name: 'skerry-pvc-a-b', target: '/v', readOnly: false },
      { kind: 'volume', name: 'skerry-mem', target: '/m', readOnly: false, tmpfsBytes: 1024 },
    ]
    const labels = toDocker(plan({ mounts })).HostConfig.Mounts?.map((mount) => mount.VolumeOptions?.Labels['dev.skerry.pod-uid'])
    expect(labels).toEqual([undefined, 'uid-p'])
  })
})

describe('hashes of containers', () => {
  const spec = (image: string): Pod['spec'] => ({
    containers: [
      { name: 'a', image },
      { name: 'b', image: 'y:1' },
    ],
  })
  it('move only for the container that changed', () => {
    const [before, after] = [containerHashes(spec('x:1'), undefined), containerHashes(spec('x:2'), undefined)]
    expect(Object.keys(before ?? {}).filter((name) => before?.[name] !== after?.[name])).toEqual(['a'])
    expect(containerHashes({ containers: [{ name: 'a', image: 'x:1' }] }, undefined)).toBeUndefined()
  })
})

describe('configs beside the pods', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'plant', uid: 'u1' },
    spec: { containers: [{ name: 'a', image: 'x:1', env: [{ name: 'PIN', valueFrom: { secretKeyRef: { name: 's', key: 'pin' } } }] }] },
  }
  const build = (data: Readonly<Record<string, string>> | null): ReturnType<typeof buildDesired> =>
    buildDesired([pod], [], {}, (kind, key) =>
      data !== null && kind === 'Secret' && key === 'plant/s' ? { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data } : undefined,
    )

  it('carry only the keys that are used, and new data is a new document', () => {
    const one = build({ pin: 'MQ==', other: 'Mg==' })
    expect(one.beside?.configs).toEqual([{ kind: 'Secret', namespace: 'plant', name: 's', data: { pin: 'MQ==' } }])
    expect(build({ pin: 'MQ==', other: 'Mw==' }).digest).toBe(one.digest)
    expect(build({ pin: 'NA==' }).digest).not.toBe(one.digest)
    expect(build({ pin: 'NA==' }).pods).toEqual(one.pods)
    expect(build(null).beside?.configs).toBeUndefined()
  })

  it('count in the size of the document', () => {
    const full = build({ pin: 'A'.repeat(130 * 1024) })
    expect([...full.refused.values()].map(({ code }) => code)).toEqual(['desired.too-many'])
    expect(full.beside?.configs).toBeUndefined()
  })
})
