import { describe, expect, it } from 'vitest'
import { readEngineInfo, readInspect, readList, toObserved } from '../edge-agent/engine/from-docker.ts'
import { readLogFrames } from '../edge-agent/engine/log-frames.ts'
import { createObserver } from '../edge-agent/engine/observer.ts'

const LABELS = {
  'dev.skerry.device': 'gw-1',
  'dev.skerry.pod-uid': 'u1',
  'dev.skerry.spec-hash': 'h1',
  'dev.skerry.namespace': 'plant',
  'dev.skerry.pod': 'web',
  'dev.skerry.container': 'main',
}
/** as dockerd 20.10 writes it, shortened, with a field nobody knows */
const listed = (id: string, state = 'running'): Record<string, unknown> => ({
  Id: id,
  Names: [`/skerry-${id}`],
  Image: 'busybox:1',
  ImageID: 'sha256:1',
  State: state,
  Status: 'Up 2 seconds',
  Labels: LABELS,
  Novelty: { a: 1 },
  NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
})
const inspected = (state: Record<string, unknown>): Record<string, unknown> => ({
  Config: { StopTimeout: 5 },
  State: {
    Status: 'running',
    OOMKilled: false,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-01T00:00:00.5Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    ...state,
  },
})

function frame(stream: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, Buffer.byteLength(text)]), Buffer.from(text)])
}

describe('engine JSON to our words', () => {
  it('reads a running container', () => {
    const [item] = readList([listed('c1')])
    const detail = readInspect(inspected({}))
    expect(item === undefined || detail === null ? null : toObserved(item, detail)).toEqual({
      id: 'c1',
      name: 'skerry-c1',
      podUid: 'u1',
      specHash: 'h1',
      namespace: 'plant',
      podName: 'web',
      containerName: 'main',
      image: 'busybox:1',
      imageId: 'sha256:1',
      state: 'running',
      exitCode: null,
      oomKilled: false,
      startedAt: '2026-01-01T00:00:00.5Z',
      finishedAt: null,
      error: '',
      ip: '172.17.0.2',
      graceSeconds: 5,
    })
  })

  it('reads how one ended, and that it never started', () => {
    expect(readInspect(inspected({ Status: 'exited', ExitCode: 137, OOMKilled: true, FinishedAt: '2026-01-01T00:00:09Z' }))).toMatchObject({
      state: 'exited',
      exitCode: 137,
      oomKilled: true,
      finishedAt: '2026-01-01T00:00:09Z',
    })
    expect(
      readInspect(inspected({ Status: 'created', ExitCode: 127, Error: 'exec: "/nope": not found', StartedAt: '0001-01-01T00:00:00Z' })),
    ).toMatchObject({ state: 'created', exitCode: null, startedAt: null, error: 'exec: "/nope": not found' })
  })

  it.each([
    ['stopped', 'exited'],
    ['configured', 'created'],
    ['something new', 'dead'],
    [undefined, 'dead'],
  ])('state %s reads as %s', (word, state) => {
    expect(readInspect(inspected({ Status: word }))).toMatchObject({ state })
  })

  it.each([[null], ['text'], [{}], [{ State: 7 }]])('takes %j for no answer', (json) => {
    expect(readInspect(json)).toBeNull()
    expect(readList(json)).toEqual([])
  })

  it('leaves containers alone that lack a label of ours', () => {
    const [item] = readList([{ ...listed('c1'), Labels: { 'dev.skerry.device': 'gw-1' } }])
    const detail = readInspect(inspected({}))
    expect(item === undefined || detail === null ? 'none' : toObserved(item, detail)).toBeNull()
  })

  it('reads engine facts, also of engines that do not say all', () => {
    expect(
      readEngineInfo({ ServerVersion: '28.0', Driver: 'overlay2', CgroupVersion: '2', Runtimes: { runc: {}, nvidia: {} } }, { ApiVersion: '1.48' }),
    ).toEqual({ version: '28.0', apiVersion: '1.48', cgroup: '2', storageDriver: 'overlay2', runtimes: ['nvidia', 'runc'] })
    expect(readEngineInfo(null, null)).toEqual({ version: '', apiVersion: '', cgroup: '1', storageDriver: '', runtimes: [] })
  })

  it('takes log frames apart and leaves terminal output as it is', () => {
    expect(readLogFrames(Buffer.concat([frame(1, 'out\n'), frame(2, 'err é\n')]))).toBe('out\nerr é\n')
    expect(readLogFrames(Buffer.from('plain terminal\n'))).toBe('plain terminal\n')
    expect(readLogFrames(frame(1, 'cut off').subarray(0, 12))).toBe('cut ')
  })
})

describe('observation', () => {
  it('inspects again only what may have changed', async () => {
    const asked: string[] = []
    let connected = true
    let list = [listed('a'), listed('b')]
    const observer = createObserver(
      {
        list: () => Promise.resolve(list),
        inspect: (id) => {
          asked.push(id)
          return Promise.resolve(inspected({ Status: list.find((item) => item['Id'] === id)?.['State'] }))
        },
      },
      () => connected,
    )
    const inspectsOf = async (): Promise<readonly string[]> => {
      asked.length = 0
      await observer.observe()
      return [...asked]
    }
    expect(await inspectsOf()).toEqual(['a', 'b'])
    expect(await inspectsOf()).toEqual([])
    observer.changed('b')
    expect(await inspectsOf()).toEqual(['b'])
    list = [listed('a', 'exited'), listed('b')]
    expect(await inspectsOf()).toEqual(['a'])
    observer.changed(null)
    expect(await inspectsOf()).toEqual(['a', 'b'])
    connected = false
    expect(await inspectsOf()).toEqual(['a', 'b'])
  })

  it('does not keep an answer that is older than an event, and drops what is gone meanwhile', async () => {
    let inspects = 0
    const observer = createObserver(
      {
        list: () => Promise.resolve([listed('a'), listed('gone')]),
        inspect: (id) => {
          inspects += 1
          observer.changed('a')
          return Promise.resolve(id === 'gone' ? null : inspected({}))
        },
      },
      () => true,
    )
    expect((await observer.observe()).map((found) => found.id)).toEqual(['a'])
    await observer.observe()
    expect(inspects).toBe(4)
  })
})
