import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentPath, openAgentFolder } from '../cloud/agent-bundles.ts'
import type { AgentFolder } from '../cloud/agent-bundles.ts'
import { brokerPassword } from '../cloud/mqtt/device-credentials.ts'
import { download } from '../edge-agent/self-update/download.ts'
import type { AgentSource } from '../edge-agent/self-update/download.ts'

const SECRET = Buffer.alloc(32, 7)

describe('agents that the cloud gives out', () => {
  let dir: string
  let folder: AgentFolder
  let server: Server
  let url = ''
  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-agents-'))
    mkdirSync(path.join(dir, 'agents'))
    writeFileSync(path.join(dir, 'agents', 'skerry-agent-2.0.0.cjs'), 'two')
    writeFileSync(path.join(dir, 'secret'), 'not for anybody')
    folder = openAgentFolder(dir)
    const answer = agentPath(folder, { broker: null }, SECRET)
    server = createServer((request, response) => {
      if (!answer(request, response)) response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })

  const asDevice = (password = brokerPassword(SECRET, 'gw-1')): AgentSource => ({ url, username: 'gw-1', password })
  const two = () => {
    const agent = folder.find('2.0.0')
    if (agent === null) throw new Error('it is not found')
    return agent
  }

  it('are found by their version, anew when the file is another', () => {
    const before = two()
    expect(before.bytes).toBe(3)
    writeFileSync(path.join(dir, 'agents', 'skerry-agent-2.0.0.cjs'), 'two again')
    expect(two().sha256).not.toBe(before.sha256)
    for (const version of ['3.0.0', '../secret', '', '2.0.0/../2.0.0']) expect(folder.find(version)).toBeNull()
  })

  it('are fetched by their hash with the password of a device', async () => {
    expect(Buffer.from(await download(asDevice(), two())).toString()).toBe('two again')
  })

  it('are given to nobody else, and nothing else is given', async () => {
    await expect(download(asDevice('guess'), two())).rejects.toThrow('401')
    await expect(download({ ...asDevice(), username: 'gw-2' }, two())).rejects.toThrow('401')
    await expect(download({ ...asDevice(), username: 'skerry.cloud', password: brokerPassword(SECRET, 'skerry.cloud') }, two())).rejects.toThrow(
      '401',
    )
    await expect(download(asDevice(), { ...two(), sha256: '0'.repeat(64) })).rejects.toThrow('404')
    expect((await fetch(`${url}/skerry/v1/agent/..%2f..%2fsecret`)).status).toBe(404)
    expect((await fetch(`${url}/skerry/v1/agent/${'0'.repeat(64)}`, { method: 'POST' })).status).toBe(405)
  })

  it('more bytes than were announced are not taken', async () => {
    await expect(download(asDevice(), { ...two(), bytes: 2 })).rejects.toThrow('more than the 2 bytes')
  })
})
