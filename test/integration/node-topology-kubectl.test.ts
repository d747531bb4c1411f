/** NUMA zones and hardware labels of a device, asked for with a real kubectl. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { newNode, nodeWithNews } from '../../cloud/core/node-status.ts'
import { nodeTopology } from '../../cloud/core/node-topology.ts'
import { createCopyReader } from '../../edge-agent/inventory/collect.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { fakeHost } from '../fakes/host.ts'
import { kubectlAgainst, kubectlBinaries } from './kubectl-runner.ts'

const binaries = kubectlBinaries()
if (binaries.length === 0) console.warn('topology with kubectl: NOT RUN: there is no kubectl on PATH')

async function gpuServer(): Promise<Inventory> {
  const { files, links } = JSON.parse(readFileSync(path.join(import.meta.dirname, '../fixtures/boards/gpu-server-2-nodes.json'), 'utf8'))
  const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
  return (await (await createCopyReader({ device: 'gw-1', agentVersion: '0.1.0', clock, engine: () => null }, fakeHost(files, [], links))).collect())
    .inventory
}

describe.skipIf(binaries.length === 0).each(binaries)('%s', (binary) => {
  it('lists the zones by the short name, and selects devices by what is in them', async () => {
    const kubectl = await kubectlAgainst(binary)
    try {
      const inventory = await gpuServer()
      const node = nodeWithNews(newNode('gw-1'), { device: 'gw-1', inventory, report: null, silent: null, alarms: [] }, '2026-01-01T00:00:00Z')
      const { metadata, ...topology } = nodeTopology({ ...node, metadata: { ...node.metadata, uid: 'u-1' } }, inventory)
      for (const object of [node, { ...topology, metadata: { name: metadata.name } }]) {
        const made = await kubectl.run('create -f -', JSON.stringify(object))
        expect([made.code, made.err]).toEqual([0, ''])
      }
      expect((await kubectl.run('get node-res-topo')).out).toMatch(/NAME +ZONES +POLICY +AGE\ngw-1 +2 +none/)
      const gpus = await kubectl.run(
        'get noderesourcetopologies.topology.node.k8s.io gw-1 -o jsonpath={.zones[1].resources[?(@.name=="nvidia.com/gpu")].available}',
      )
      expect([gpus.out, gpus.err]).toEqual(['1', ''])
      const chosen = await kubectl.run('get nodes -l nvidia.com/gpu.count=2,feature.node.kubernetes.io/memory-numa=true -o name')
      expect(chosen.out).toBe('node/gw-1\n')
      expect((await kubectl.run('get nodes -l feature.node.kubernetes.io/pci-0302_1002.present=true -o name')).out).toBe('')
    } finally {
      await kubectl.close()
    }
  })
})
