/** CPUs of one's own, memory nodes and PID limits, from the pod's manifest to the control groups of a real engine. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { createEngineProxy } from './engine-proxy.ts'
import type { EngineProxy } from './engine-proxy.ts'
import { writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'
import { BOARD_PIDS, writeTwoNodeBoard } from './two-node-board.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`numa: not run: ${why}`)

const PIDS_LIMIT = 32
const PORT = 18_080
const BUDGET = new RegExp(`code 7\\n[^]*needs 4000 PIDs, \\d+ free of ${BOARD_PIDS - Math.floor(BOARD_PIDS / 10)}\\b`)
/** Fills its control group to the brim, and then stays there: the shell at the top needs no further process. */
const FORK_BOMB = '(while :; do sleep 86400 & done); exec sleep 86400'

function pod(name: string, spec: object, annotations: Readonly<Record<string, string>> = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations } as Manifest['metadata'],
    spec: { terminationGracePeriodSeconds: 0, ...spec },
  }
}

/** Guaranteed, with a whole CPU: it gets one of its own. */
function alignedPod(name: string): Manifest {
  const resources = { requests: { cpu: '1', memory: '64Mi' }, limits: { cpu: '1', memory: '64Mi' } }
  return pod(name, { containers: [{ name: 'main', image: 'busybox:1', command: ['sleep', '86400'], resources }] }, POLICY)
}
const POLICY = { 'skerry.dev/numa-policy': 'single-numa-node' }

describe.skipIf(why !== null)('placement on a real engine', () => {
  let bed: Testbed
  let proxy: EngineProxy
  let gateway: Gateway
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({
      gateways: 1,
      images: ['busybox:1'],
      first: 71,
      agentFlags: async (engineSocket) => {
        proxy = await createEngineProxy(engineSocket)
        const board = path.join(path.dirname(engineSocket), 'board')
        writeTwoNodeBoard(board)
        return ['--docker', proxy.socketPath, '--hardware-root', board]
      },
    })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('one gateway was asked for')
    gateway = first
    await eventually('the device is ready and has said what it is', async () => {
      const said = await bed.cloud.kubectl('get', 'node', gateway.name, '-o', 'jsonpath={.status.allocatable.cpu}')
      return said === '2900m' ? null : `allocatable cpu: ${said}`
    })
  })
  afterAll(async () => {
    await bed?.destroy()
    await proxy?.close()
  })

  const apply = (...manifests: readonly Manifest[]): Promise<string> => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, ...manifests))
  const running = (name: string): Promise<void> =>
    eventually(`${name} runs`, async () => {
      const phase = await bed.cloud.kubectl('get', 'pod', name, '-o', 'jsonpath={.status.phase} {.spec.nodeName} {.status.conditions}')
      return phase.startsWith('Running ') ? null : phase
    })
  const waitsBecause = (name: string, sentence: RegExp): Promise<void> =>
    eventually(`${name} says why it waits`, async () => {
      const said = await bed.cloud.kubectl(
        'get',
        'pod',
        name,
        '-o',
        'jsonpath={.spec.nodeName}|{.status.conditions[?(@.type=="PodScheduled")].message}',
      )
      return said.startsWith('|') && sentence.test(said) ? null : said
    })
  const containerOf = async (name: string): Promise<string> =>
    (await gateway.engine.docker('ps', '-q', '--no-trunc', '--filter', `label=dev.skerry.pod=${name}`)).trim()
  const nameOf = async (name: string): Promise<string> =>
    (await gateway.engine.docker('inspect', '-f', '{{.Name}}', await containerOf(name))).trim().slice(1)
  const cpusetOf = async (name: string): Promise<string> =>
    (await gateway.engine.docker('inspect', '-f', '{{.HostConfig.CpusetCpus}}', await containerOf(name))).trim()
  /** a file of the control group that the container's first process is in, whatever version this kernel runs */
  const groupFile = async (name: string, controller: string, file: string): Promise<string> => {
    const pid = (await gateway.engine.docker('inspect', '-f', '{{.State.Pid}}', await containerOf(name))).trim()
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
    const v1 = lines.find((line) => line.split(':')[1]?.split(',').includes(controller) === true)
    const mount = v1 === undefined ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`
    const group = (v1 ?? lines.find((line) => line.startsWith('0::')) ?? '').split(':')[2] ?? ''
    return readFileSync(path.join(mount, group, file), 'utf8').trim()
  }
  const memoryNodesAsked = (name: string): readonly (string | undefined)[] =>
    proxy.asked.filter((one) => one.name.includes(name)).map((one) => one.HostConfig.CpusetMems)

  it('gives two pods a CPU each on a memory node of its own, and the next pod the CPU that is freed', async () => {
    await apply(alignedPod('left'))
    await running('left')
    await apply(alignedPod('right'))
    await running('right')
    expect([await cpusetOf('left'), await cpusetOf('right')]).toEqual(['0', '1'])
    expect([await groupFile('left', 'cpuset', 'cpuset.cpus'), await groupFile('right', 'cpuset', 'cpuset.cpus')], 'the kernel says so').toEqual([
      '0',
      '1',
    ])
    expect([memoryNodesAsked('left'), memoryNodesAsked('right')]).toEqual([['0'], ['1']])

    const drawn = await bed.cloud.skerry('topology', gateway.name)
    expect(drawn).toMatch(/^node 0: 4Gi; distances 21 to node 1$/m)
    expect(drawn, 'with the process that runs there').toMatch(/^ {2}0 +0 +A default\/left +\d+ main; at most 1024$/m)

    await apply(alignedPod('third'))
    await waitsBecause('third', /cpu/i)
    await bed.cloud.kubectl('cordon', gateway.name)
    await bed.cloud.kubectl('delete', 'pod', 'right')
    await waitsBecause('third', /cordon|unschedulable/i)
    expect(await cpusetOf('left'), 'a cordon moves nothing').toBe('0')
    await bed.cloud.kubectl('uncordon', gateway.name)
    await running('third')
    expect(await cpusetOf('third')).toBe('1')
    expect(memoryNodesAsked('third')).toEqual(['1'])
  })

  it('leaves a pod above the PID budget unplaced and says so', async () => {
    await apply(
      pod('greedy', { resources: { limits: { pids: 4_000 } }, containers: [{ name: 'main', image: 'busybox:1', command: ['sleep', '1'] }] }),
    )
    await waitsBecause('greedy', /too few PIDs \(needs 4000, most free \d+\)/)
    expect(await bed.cloud.kubectl('get', 'pod', 'greedy', '-o', 'wide')).toMatch(/too few PIDs \(needs 4000, most free \d+\)/)
    // exit code 7: not placeable
    await expect(bed.cloud.skerry('why', 'greedy')).rejects.toThrow(BUDGET)
    expect(await containerOf('greedy')).toBe('')
  })

  it('stops a fork bomb at the PID limit of its pod, and the others do not notice', async () => {
    const ports = [{ containerPort: 8080, hostPort: PORT }]
    await apply(pod('witness', { containers: [{ name: 'main', image: 'busybox:1', command: ['httpd', '-f', '-p', '8080'], ports }] }))
    await running('witness')
    expect(proxy.movedTo(await nameOf('witness')), 'where nobody has a CPU to itself').toBe('2')
    const answers = async (): Promise<string | null> =>
      // there is no page: that it says so is an answer
      (await fetch(`http://${gateway.address}:${PORT}/`)).status === 404 ? null : 'another answer'
    await eventually('the witness answers', answers)
    const bomb = { name: 'main', image: 'busybox:1', command: ['sh', '-c', FORK_BOMB] }
    await apply(pod('bomb', { resources: { limits: { pids: PIDS_LIMIT } }, containers: [bomb] }))
    await running('bomb')
    const counts: number[] = []
    await eventually('the bomb was refused a process', async () => {
      counts.push(Number(await groupFile('bomb', 'pids', 'pids.current')))
      return /^max [1-9]/m.test(await groupFile('bomb', 'pids', 'pids.events')) ? null : 'never refused'
    })
    expect(await groupFile('bomb', 'pids', 'pids.max')).toBe(String(PIDS_LIMIT))
    counts.push(Number(await groupFile('bomb', 'pids', 'pids.current')))
    expect(Math.max(...counts)).toBeLessThanOrEqual(PIDS_LIMIT)
    expect(counts.at(-1), 'it filled its room').toBeGreaterThan(PIDS_LIMIT - 3)
    expect(await answers()).toBe(null)
    for (const name of ['witness', 'left', 'third']) {
      expect(await bed.cloud.kubectl('get', 'pod', name, '-o', 'jsonpath={.status.phase} {.status.containerStatuses[0].restartCount}')).toBe(
        'Running 0',
      )
    }
  })
})
