/** Probes and hooks as the API takes, defaults and refuses them. */
import { describe, expect, it } from 'vitest'
import { CONTAINER, admit, pod } from './fixtures/manifests.ts'

const HTTP = { httpGet: { port: 80 } }
const issues = (container: Readonly<Record<string, unknown>>, spec: Readonly<Record<string, unknown>> = {}): readonly string[] =>
  admit(pod(spec, container)).issues.map((issue) => `${issue.path.replace('spec.containers[0].', '')}: ${issue.message}`)

describe('probes: taken', () => {
  it.each([
    ['http by number', { livenessProbe: HTTP }],
    ['http by name', { ports: [{ name: 'web', containerPort: 80 }], readinessProbe: { httpGet: { port: 'web', path: '/ready' } } }],
    ['tcp', { startupProbe: { tcpSocket: { port: 5432 } } }],
    ['exec', { livenessProbe: { exec: { command: ['cat', '/tmp/healthy'] } } }],
    ['grpc', { readinessProbe: { grpc: { port: 50_051, service: 'db' }, successThreshold: 3 } }],
    ['counts of 0', { livenessProbe: { ...HTTP, periodSeconds: 0, failureThreshold: 0, successThreshold: 0, timeoutSeconds: 0 } }],
    ['hooks', { lifecycle: { postStart: { exec: { command: ['true'] } }, preStop: { sleep: { seconds: 5 } } } }],
    ['a grace of its own', { livenessProbe: { ...HTTP, terminationGracePeriodSeconds: 5 } }],
  ])('%s', (_name, container) => {
    expect(issues(container)).toEqual([])
  })
})

describe('probes: refused', () => {
  it.each<readonly [string, Readonly<Record<string, unknown>>, RegExp]>([
    ['no handler', { livenessProbe: { periodSeconds: 1 } }, /^livenessProbe: must specify a handler/],
    [
      'two handlers',
      { livenessProbe: { ...HTTP, tcpSocket: { port: 1 } } },
      /^livenessProbe: may not specify more than one handler, has httpGet and tcpSocket/,
    ],
    ['a port of 0', { livenessProbe: { httpGet: { port: 0 } } }, /^livenessProbe\.httpGet\.port: must be between 1 and 65535/],
    ['a port nobody has', { readinessProbe: { tcpSocket: { port: 'db' } } }, /^readinessProbe\.tcpSocket\.port: "db" is not the name of a port/],
    ['an empty command', { startupProbe: { exec: { command: [] } } }, /^startupProbe\.exec\.command: is required/],
    ['liveness that needs two successes', { livenessProbe: { ...HTTP, successThreshold: 2 } }, /^livenessProbe\.successThreshold: must be 1/],
    ['startup that needs two successes', { startupProbe: { ...HTTP, successThreshold: 2 } }, /^startupProbe\.successThreshold: must be 1/],
    [
      'a grace for readiness',
      { readinessProbe: { ...HTTP, terminationGracePeriodSeconds: 5 } },
      /^readinessProbe\.terminationGracePeriodSeconds: must not/,
    ],
    ['a negative period', { livenessProbe: { ...HTTP, periodSeconds: -1 } }, /^livenessProbe\.periodSeconds: /],
    [
      'a header with a line break',
      { livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'A', value: 'b\r\nC: d' }] } } },
      /httpHeaders\[0\]\.value: /,
    ],
    ['an unknown scheme', { livenessProbe: { httpGet: { port: 80, scheme: 'ftp' } } }, /^livenessProbe\.httpGet\.scheme: /],
    ['an empty hook', { lifecycle: { preStop: {} } }, /^lifecycle\.preStop: must specify a handler/],
    ['a tcp hook', { lifecycle: { preStop: { tcpSocket: { port: 80 } } } }, /^lifecycle\.preStop\.tcpSocket: .*never runs/],
    [
      'a sleep longer than the grace',
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      /^lifecycle\.preStop\.sleep\.seconds: must not be more than .*\(30\)/,
    ],
    ['an unknown field', { livenessProbe: { ...HTTP, period: 3 } }, /^livenessProbe\.period: unknown field/],
  ])('%s', (_name, container, words) => {
    expect(issues(container)).toEqual([expect.stringMatching(words)])
  })
})

it('fills in what Kubernetes fills in, once', () => {
  const once = admit(
    pod({}, { livenessProbe: HTTP, readinessProbe: { grpc: { port: 1 } }, lifecycle: { preStop: { httpGet: { port: 80 } } } }),
  ).object
  const counts = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
  expect(once).toMatchObject({
    spec: {
      containers: [
        {
          ...CONTAINER,
          livenessProbe: { httpGet: { port: 80, path: '/', scheme: 'HTTP' }, ...counts },
          readinessProbe: { grpc: { port: 1, service: '' }, ...counts },
          lifecycle: { preStop: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } },
        },
      ],
    },
  })
  expect(admit(once).object).toEqual(once)
})
