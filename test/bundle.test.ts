import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { makeBundle } from '../edge-agent/local-page/bundle.ts'
import { cause } from '../protocol/causes.ts'
import type { DesiredState } from '../edge-agent/core/model.ts'
import type { AgentState } from '../edge-agent/core/state.ts'
import { NOW, container, gateway, pod } from './fixtures/field-state.ts'

const PLANTED = {
  env: 'env-S3cret-value',
  arg: '--token=arg-S3cret',
  command: 'cmd-S3cret',
  annotation: 'annot-S3cret',
  multi: 'line-one-S3cret\nline-two-S3cret',
  join: 'join-pa"ss\\S3cret',
  pin: '90210777',
  quoted: 'quo"ted\\S3cret',
  registry: 'reg-S3cret',
} as const

/** Every place where somebody may have put a secret. */
function poisoned(): AgentState {
  const base = gateway()
  const one = pod('web', `user:${PLANTED.registry}@registry.local/web:1`)
  const spec = {
    ...one.spec,
    containers: [
      {
        name: 'main',
        image: one.spec.containers[0]?.image ?? '',
        env: [
          { name: 'A', value: PLANTED.env },
          { name: 'B', value: PLANTED.multi },
          { name: 'C', value: PLANTED.quoted },
        ],
        command: [PLANTED.command],
        args: [PLANTED.arg],
      },
    ],
  }
  const extra = { annotations: { x: PLANTED.annotation }, credentials: [{ password: PLANTED.registry }] }
  const desired = {
    ...base.desired,
    pods: [{ ...one, spec, ...extra }],
    credentials: { 'registry.local': { password: PLANTED.registry } },
  } as unknown as DesiredState
  const why = Object.values(PLANTED).join(' ')
  return {
    ...base,
    desired,
    observed: [container('web', { error: why, image: `user:${PLANTED.registry}@registry.local/web:1` })],
    refusals: [cause('desired.refused.unreadable', { why })],
    engine: { ...base.engine, cause: cause('engine.error', { why }) },
    link: { kind: 'down', sinceWallMs: 0, why: `mqtt://gw:${PLANTED.join}@broker ${why}`, nextTryInMs: 1 },
  }
}

it('holds no secret, wherever it was planted', async () => {
  const everything = Object.values(PLANTED).join('\n')
  const bytes = await makeBundle({
    state: poisoned(),
    now: NOW,
    versions: { agent: '1' },
    secrets: [PLANTED.join, PLANTED.pin],
    agentLog: [JSON.stringify({ msg: everything }), 'authorization: Bearer abc.def.ghi', 'https://u:p4ssw0rdX@host/'],
    logs: () => Promise.resolve(`${everything}\npassword = hunter22 "api_key":"k-123456789"\nAPI_TOKEN=tok-987654`),
    path: [{ name: 'broker', result: 'failed', says: everything }],
  })
  const text = gunzipSync(bytes).toString('utf8')
  for (const secret of Object.values(PLANTED).flatMap((one) => one.split('\n'))) {
    expect(text, secret).not.toContain(secret)
    expect(text, secret).not.toContain(JSON.stringify(secret).slice(1, -1))
  }
  for (const secret of ['S3cret', 'abc.def.ghi', 'p4ssw0rdX', 'hunter22', 'k-123456789', 'tok-987654']) expect(text, secret).not.toContain(secret)
  const document = JSON.parse(text) as Record<string, unknown>
  expect(Object.keys(document)).toEqual(
    expect.arrayContaining(['versions', 'desired', 'observed', 'ledger', 'inventory', 'path', 'agentLog', 'logs']),
  )
  expect(text).toContain('registry.local/web:1')
  expect(text).toContain('Advantech UNO-348')
})

it('comes without the logs when they cannot be had, and stays small enough to be sent', async () => {
  const parts = { state: gateway(), now: NOW, versions: {}, secrets: [], agentLog: [], path: [] }
  const without = gunzipSync(await makeBundle({ ...parts, logs: () => Promise.reject(new Error('the engine is away')) })).toString('utf8')
  expect(without).toContain('no log: the engine is away')
  const observed = Array.from({ length: 200 }, (_, index) => container(`c${index}`))
  const long = gunzipSync(await makeBundle({ ...parts, state: gateway({ observed }), logs: () => Promise.resolve('é'.repeat(1_000_000)) }))
  expect(long.byteLength).toBeLessThan(4 * 1024 * 1024)
})
