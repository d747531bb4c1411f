import { describe, expect, it } from 'vitest'
import { toDocker } from '../edge-agent/engine/to-docker.ts'
import { expandVariables } from '../edge-agent/engine/expand-variables.ts'
import type { ContainerPlan } from '../edge-agent/core/model.ts'

const HASH = 'b'.repeat(64)

function plan(
  container: Partial<ContainerPlan['container']> = {},
  pod: Partial<ContainerPlan['pod']> = {},
  placement: ContainerPlan['placement'] = null,
): ContainerPlan {
  return {
    identity: {
      podUid: 'uid-1',
      specHash: HASH,
      namespace: 'plant',
      podName: 'web',
      containerName: 'main',
      name: 'skerry-plant-web-main-uid-1-bbbbbbbb',
    },
    device: 'gw-1',
    container: { name: 'main', image: 'registry.local/web:1', ...container },
    pod: { hostNetwork: false, hostname: null, pidsLimit: 128, graceSeconds: 30, labels: { app: 'web' }, ...pod },
    placement,
  }
}

describe('ContainerPlan to create options', () => {
  it('is this for the plainest container', () => {
    expect(toDocker(plan())).toEqual({
      name: 'skerry-plant-web-main-uid-1-bbbbbbbb',
      Image: 'registry.local/web:1',
      Hostname: 'web',
      Env: [],
      Tty: false,
      OpenStdin: false,
      Labels: {
        'dev.skerry.device': 'gw-1',
        'dev.skerry.pod-uid': 'uid-1',
        'dev.skerry.spec-hash': HASH,
        'dev.skerry.namespace': 'plant',
        'dev.skerry.pod': 'web',
        'dev.skerry.container': 'main',
      },
      StopTimeout: 30,
      HostConfig: {
        RestartPolicy: { Name: 'no' },
        NetworkMode: 'default',
        SecurityOpt: ['no-new-privileges'],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
        PidsLimit: 128,
        CpuShares: 2,
      },
    })
  })

  it('turns requests and limits into what the kubelet would set', () => {
    const resources = { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1500m', memory: '128Mi' } }
    expect(toDocker(plan({ resources })).HostConfig).toMatchObject({
      CpuShares: 256,
      CpuPeriod: 100_000,
      CpuQuota: 150_000,
      Memory: 134_217_728,
      MemorySwap: 134_217_728,
      MemoryReservation: 67_108_864,
    })
  })

  it.each([
    ['the limit stands in for a missing request', { limits: { cpu: '2' } }, { CpuShares: 2048, CpuQuota: 200_000 }],
    ['a tiny limit is raised to what the kernel takes', { limits: { cpu: '1m' } }, { CpuQuota: 1_000, CpuShares: 2 }],
    ['numbers are quantities too', { limits: { cpu: 1, memory: 67_108_864 } }, { CpuQuota: 100_000, Memory: 67_108_864 }],
  ])('%s', (_, resources, expected) => {
    expect(toDocker(plan({ resources })).HostConfig).toMatchObject(expected)
  })

  it('leaves out a reservation that the engine would refuse', () => {
    expect(toDocker(plan({ resources: { requests: { memory: '1Mi' } } })).HostConfig).not.toHaveProperty('MemoryReservation')
    expect(toDocker(plan({ resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } })).HostConfig).not.toHaveProperty(
      'MemoryReservation',
    )
  })

  it.each([
    [['/bin/app'], ['-v'], { Entrypoint: ['/bin/app'], Cmd: ['-v'] }],
    [['/bin/app'], undefined, { Entrypoint: ['/bin/app'], Cmd: [] }],
    [[], ['-v'], { Cmd: ['-v'] }],
  ])('command %j with args %j', (command, args, expected) => {
    const made = toDocker(plan({ command, ...(args === undefined ? {} : { args }) }))
    expect({ ...(made.Entrypoint === undefined ? {} : { Entrypoint: made.Entrypoint }), Cmd: made.Cmd }).toEqual(expected)
  })

  it('expands variables as Kubernetes does', () => {
    const env = [{ name: 'HOST', value: 'db' }, { name: 'URL', value: 'http://$(HOST):80/$(NONE)' }, { name: 'EMPTY' }]
    const made = toDocker(plan({ env, args: ['--url=$(URL)', '$$(HOST)', '$HOST'] }))
    expect(made.Env).toEqual(['HOST=db', 'URL=http://db:80/$(NONE)', 'EMPTY='])
    expect(made.Cmd).toEqual(['--url=http://db:80/$(NONE)', '$(HOST)', '$HOST'])
    expect(expandVariables('$(', new Map())).toBe('$(')
  })

  it('publishes host ports, several on one container port', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 80, hostPort: 8081, hostIP: '127.0.0.1' },
      { containerPort: 53, hostPort: 53, protocol: 'UDP' as const },
      { containerPort: 9000 },
    ]
    const made = toDocker(plan({ ports }))
    expect(made.ExposedPorts).toEqual({ '80/tcp': {}, '53/udp': {} })
    expect(made.HostConfig.PortBindings).toEqual({
      '80/tcp': [
        { HostIp: '', HostPort: '8080' },
        { HostIp: '127.0.0.1', HostPort: '8081' },
      ],
      '53/udp': [{ HostIp: '', HostPort: '53' }],
    })
  })

  it('binds nothing on the host network and keeps the host name', () => {
    const made = toDocker(plan({ ports: [{ containerPort: 80, hostPort: 80 }] }, { hostNetwork: true }))
    expect(made.HostConfig.NetworkMode).toBe('host')
    expect(made.HostConfig).not.toHaveProperty('PortBindings')
    expect(made).not.toHaveProperty('Hostname')
  })

  it('pins cpus, memory nodes and gpus where the placement says', () => {
    const made = toDocker(plan({}, {}, { cpus: '0-3,8', memoryNodes: '0', gpus: ['GPU-1', 'GPU-2'], pids: 10 }))
    expect(made.HostConfig).toMatchObject({
      CpusetCpus: '0-3,8',
      CpusetMems: '0',
      DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ['GPU-1', 'GPU-2'], Capabilities: [['gpu']] }],
    })
  })
})
