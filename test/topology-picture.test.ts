/** The picture of a device's hardware, as data: what is drawn, what it says, and that nothing it is given can break it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { soundFacts, topologyFacts } from '../protocol/topology-facts.ts'
import type { PlaceFacts, TopologyFacts } from '../protocol/topology-facts.ts'
import { letterOf } from '../protocol/cpu-states.ts'
import { BOX_WIDTH, fillOf, movedTo, PICTURE_VIEWS, topologyPicture } from '../protocol/topology-picture.ts'
import type { NodeBox, Rect } from '../protocol/topology-picture.ts'
import { topologyTwin } from '../protocol/topology-twin.ts'

const GIB = 2 ** 30
const place = (name: string, cpus: string, more: Partial<PlaceFacts> = {}): PlaceFacts => ({
  name,
  cpus,
  memoryNodes: '',
  gpus: [],
  memoryBytes: null,
  pids: '',
  when: 'both',
  ...more,
})

/** Two nodes, four cores of two threads each, two of them behind one cache; a GPU on the second. */
function server(places: readonly PlaceFacts[] = [], cpuMilli = 7_000): TopologyFacts {
  return topologyFacts(
    {
      onlineCpus: '0-6',
      numaNodes: [
        { id: 0, cpus: '0-3', memoryBytes: 4 * GIB, hugepages: { [2 * 2 ** 20]: 512 } },
        { id: 4, cpus: '4-7', memoryBytes: 4 * GIB },
        { id: 10, cpus: '', memoryBytes: 8 * GIB, memoryOnly: true },
      ],
      distances: [
        [10, 21, 40],
        [21, 10, 40],
        [40, 40, 10],
      ],
      coreCpus: ['0-1', '2-3', '4-5', '6-7'],
      cacheCpus: ['0-3', '4-7'],
      accelerators: [{ id: 'GPU-1', kind: 'gpu', model: 'NVIDIA L4', numaNode: 4, resource: 'nvidia.com/gpu' }],
      pciNics: [{ address: '0000:3b:00.0', class: '0200', driver: 'ice' }],
    },
    cpuMilli,
    places,
  )
}

const cpuOf = (boxes: readonly NodeBox[], cpu: number): Rect | undefined =>
  boxes.flatMap(({ rects }) => rects).find(({ says }) => says.startsWith(`CPU ${cpu},`))
const looks = (facts: TopologyFacts, cpu: number, view: 'now' | 'plan' | 'diff' = 'now'): string =>
  cpuOf(topologyPicture(facts, view), cpu)?.look ?? 'absent'

describe('the topology picture', () => {
  it('has a box for each node with its name, distances and devices, and one for what hangs on none', () => {
    const boxes = topologyPicture(server(), 'now')
    expect(boxes.map(({ id, title, distances }) => [id, title, distances])).toEqual([
      [0, 'node 0', '21 to node 4, 40 to node 10'],
      [4, 'node 4', '21 to node 0, 40 to node 10'],
      [10, 'node 10, memory only', '40 to node 0, 40 to node 4'],
      [null, 'on no node in particular', ''],
    ])
    const texts = boxes.map(({ rects }) => rects.filter(({ look }) => look === 'device').map(({ text }) => text))
    expect(texts).toEqual([[], ['GPU NVIDIA L4'], [], ['NIC ice 0000:3b:00.0']])
  })

  it('draws threads of a core above each other, inside the frame of their cache, and everything inside its box', () => {
    const boxes = topologyPicture(server(), 'now')
    const [zero, one, two] = [0, 1, 2].map((cpu) => cpuOf(boxes, cpu))
    expect([one?.x, two?.y]).toEqual([zero?.x, zero?.y])
    expect(one?.y).toBeGreaterThan(zero?.y ?? 0)
    for (const { height, rects } of boxes) {
      for (const { x, y, w, h } of rects) expect([x >= 0, y >= 0, x + w <= BOX_WIDTH, y + h <= height]).toEqual([true, true, true, true])
    }
    expect(boxes[0]?.rects.filter(({ look }) => look === 'cache')).toHaveLength(1)
  })

  it('says of each square whose it is, and marks what the device keeps, what is off and what is not for workloads', () => {
    const facts = { ...server([place('line/vision', '2-3', { pids: '812 main; at most 64' })], 6_000), usableCpus: '0-5' }
    expect(cpuOf(topologyPicture(facts, 'now'), 2)).toMatchObject({
      look: 'cpu own',
      text: 'A',
      place: 0,
      says: 'CPU 2, node 0; A = line/vision, PIDs 812 main; at most 64',
    })
    expect([looks(server([], 6_000), 0), looks(facts, 1), looks(facts, 6), looks(facts, 7)]).toEqual([
      'cpu free ring',
      'cpu free',
      'cpu barred',
      'cpu off',
    ])
  })

  it('marks violations with a sign and a sentence, not only with a line', () => {
    const twice = server([place('a/x', '1'), place('a/y', '1')])
    expect(cpuOf(topologyPicture(twice, 'now'), 1)).toMatchObject({ look: 'cpu own bad', text: 'A!' })
    expect(cpuOf(topologyPicture(twice, 'now'), 1)?.says).toContain('VIOLATION: two workloads have it for themselves')
    const away = server([place('a/x', '1', { memoryNodes: '4' })])
    expect(cpuOf(topologyPicture(away, 'now'), 1)?.says).toContain('VIOLATION: the memory of A is on node 4')
    const gone = server([place('a/x', '7', { memoryNodes: '4' })])
    expect(cpuOf(topologyPicture(gone, 'now'), 7)?.says).toContain('VIOLATION: given to a workload, and cannot be used')
  })

  it('shows what is, what would be, and both with signs', () => {
    const facts = server([place('a/stays', '0'), place('a/comes', '1', { when: 'plan' }), place('a/goes', '2', { when: 'now' })])
    const text = (view: 'now' | 'plan' | 'diff'): readonly (string | undefined)[] =>
      [0, 1, 2].map((cpu) => cpuOf(topologyPicture(facts, view), cpu)?.text)
    expect([text('now'), text('plan'), text('diff')]).toEqual([
      ['A', '', 'C'],
      ['A', 'B', ''],
      ['A', '+B', '−C'],
    ])
    expect(looks(facts, 1, 'plan')).toBe('cpu own ghost')
  })

  it('shares the memory bar by what was asked of the node', () => {
    const [box] = topologyPicture(server([place('a/x', '', { memoryNodes: '0', memoryBytes: 2 * GIB })]), 'now')
    const [track, huge, used] = box?.rects ?? []
    expect([track?.look, huge?.look, used?.look]).toEqual(['track', 'huge', 'memory'])
    expect((used?.w ?? 0) / (track?.w ?? 1)).toBeCloseTo(0.5, 1)
    expect((huge?.w ?? 0) / (track?.w ?? 1)).toBeCloseTo(0.25, 1)
  })

  it('draws two sockets of 128 threads, and of more than 1,024 threads the cores only', () => {
    const big = (threads: number): TopologyFacts =>
      topologyFacts(
        {
          onlineCpus: `0-${threads - 1}`,
          numaNodes: [0, 1].map((id) => ({ id, cpus: `${(id * threads) / 2}-${((id + 1) * threads) / 2 - 1}`, memoryBytes: 256 * GIB })),
          coreCpus: Array.from({ length: threads / 2 }, (_, core) => `${2 * core}-${2 * core + 1}`),
        },
        null,
        [],
      )
    const squares = (threads: number): number =>
      topologyPicture(big(threads), 'now').flatMap(({ rects }) => rects.filter(({ look }) => look.startsWith('cpu'))).length
    expect([squares(256), squares(2_048)]).toEqual([256, 1_024])
    expect(topologyTwin(big(2_048), 'now')).toHaveLength(2)
  })

  it('gives neighbours another hue and another pattern, and every workload a letter of its own', () => {
    const fills = Array.from({ length: 32 }, (_, index) => `${fillOf(index).hue}/${fillOf(index).pattern}`)
    expect(new Set(fills).size).toBe(32)
    expect(new Set(Array.from({ length: 260 }, (_, index) => letterOf(index))).size).toBe(260)
  })

  it('walks with keys and stays inside', () => {
    expect([movedTo('ArrowRight', -1, 3), movedTo('ArrowDown', 2, 3), movedTo('ArrowLeft', 0, 3), movedTo('End', 0, 3), movedTo('x', 0, 3)]).toEqual([
      0,
      2,
      0,
      2,
      null,
    ])
    expect(movedTo('Home', -1, 0)).toBeNull()
  })
})

describe('the table beside it', () => {
  it('lists node, CPUs, workload and PIDs, and what shares', () => {
    const rows = topologyTwin(server([place('line/vision', '2-3', { pids: '812 main' }), place('line/web', '', { pids: '900 web' })]), 'now')
    expect(rows.map(({ node, cpus, workload, pids }) => [node, cpus, workload, pids])).toEqual([
      ['0', '0-1', 'shared by workloads without CPUs of their own', ''],
      ['0', '2-3', 'A line/vision', '812 main'],
      ['4', '4-6', 'shared by workloads without CPUs of their own', ''],
      ['4', '7', 'offline', ''],
      ['10', 'none', 'memory only', ''],
      ['any', 'shared', 'B line/web', '900 web'],
    ])
    expect(rows[0]?.about).toBe('4Gi; 1Gi in huge pages; distances 21 to node 4, 40 to node 10')
    expect(rows[2]?.about).toBe('4Gi; gpu NVIDIA L4; distances 21 to node 0, 40 to node 10')
  })
})

describe('facts as they come over a wire', () => {
  it('draw something whatever is missing, null or of another type', () => {
    const whole = JSON.parse(JSON.stringify(server([place('a/x', '1', { gpus: ['GPU-1'] })]))) as unknown
    const mutate = (value: unknown, at: number, counter: { n: number }): unknown => {
      counter.n += 1
      if (counter.n === at) return null
      if (Array.isArray(value)) return value.map((one: unknown) => mutate(one, at, counter))
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mutate(one, at, counter)]))
    }
    for (let at = 1; at < 120; at += 1) {
      const facts = soundFacts(mutate(whole, at, { n: 0 }))
      for (const [view] of PICTURE_VIEWS) expect([topologyPicture(facts, view), topologyTwin(facts, view)]).toBeDefined()
    }
    fc.assert(
      fc.property(fc.anything(), (junk) => {
        const facts = soundFacts(junk)
        return topologyPicture(facts, 'diff').length >= 0 && topologyTwin(facts, 'diff').length >= 0
      }),
      { numRuns: 200 },
    )
  })
})
