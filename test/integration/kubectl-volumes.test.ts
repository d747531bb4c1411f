/** Claims, volumes and their class as real kubectl binaries make and print them. What controllers would write, the test writes. */
import { describe, it } from 'vitest'
import { call } from '../fakes/api-server.ts'
import { kubectlBinaries, kubectlSuite } from './kubectl-runner.ts'

const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`
const SET = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
`
const DONE = {
  observedGeneration: 1,
  replicas: 2,
  readyReplicas: 2,
  updatedReplicas: 2,
  currentReplicas: 2,
  currentRevision: 'db-1',
  updateRevision: 'db-1',
}
const VOLUME = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pvc-1' },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    claimRef: { namespace: 'default', name: 'data' },
    storageClassName: 'skerry-local',
    local: { path: 'skerry-pvc-default-data' },
  },
  status: { phase: 'Bound' },
}
const BOUND = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }

const binaries = kubectlBinaries()

describe.skipIf(binaries.length === 0).each(binaries)('%s', (binary) => {
  const { kubectl, ok } = kubectlSuite(binary)

  it('applies a claim, prints it with its volume, and deletes it', async () => {
    await ok(
      'get sc',
      /NAME +PROVISIONER +RECLAIMPOLICY +VOLUMEBINDINGMODE +ALLOWVOLUMEEXPANSION +AGE\nskerry-local \(default\) +skerry.dev\/local +Retain +WaitForFirst/,
    )
    await ok('apply -f -', /^persistentvolumeclaim\/data created/, CLAIM)
    await ok('apply -f -', /^persistentvolumeclaim\/data unchanged/, CLAIM)
    await ok('get pvc', /NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS +AGE\ndata +Pending +skerry-local /)
    const at = '/api/v1/namespaces/default/persistentvolumeclaims/data'
    await call(kubectl().server, 'PATCH', at, { body: { spec: { volumeName: 'pvc-1' } }, type: 'application/merge-patch+json' })
    await call(kubectl().server, 'PATCH', `${at}/status`, { body: { status: BOUND }, type: 'application/merge-patch+json' })
    await call(kubectl().server, 'POST', '/api/v1/persistentvolumes', { body: VOLUME })
    await ok('apply -f -', /^persistentvolumeclaim\/data unchanged/, CLAIM)
    await ok('get pvc', /data +Bound +pvc-1 +1Gi +RWO +skerry-local /)
    await ok(
      'get pv',
      /NAME +CAPACITY +ACCESS MODES +RECLAIM POLICY +STATUS +CLAIM +STORAGECLASS +REASON +AGE\npvc-1 +1Gi +RWO +Retain +\w+ +default\/data +skerry-local /,
    )
    await ok('describe pvc data', /StorageClass: +skerry-local\nStatus: +Bound\nVolume: +pvc-1[\s\S]*Capacity: +1Gi\nAccess Modes: +RWO/)
    await ok('delete pvc data', /"data" deleted/)
  })

  it('applies a StatefulSet, follows its rollout, scales and describes it', async () => {
    await ok('apply -f -', /^statefulset.apps\/db created/, SET)
    await ok('apply -f -', /^statefulset.apps\/db unchanged/, SET)
    const at = '/apis/apps/v1/namespaces/default/statefulsets/db/status'
    await call(kubectl().server, 'PATCH', at, { body: { status: DONE }, type: 'application/merge-patch+json' })
    await ok('rollout status statefulset/db --timeout=20s', /roll ?out complete: 2 new pods have been updated|rolling update complete 2 pods/)
    await ok('get sts', /NAME +READY +AGE\ndb +2\/2 /)
    await ok('describe sts db', /Replicas: +2 desired \| 2 total[\s\S]*Update Strategy: +RollingUpdate[\s\S]*StorageClass/)
    await ok('scale sts db --replicas=1', /scaled/)
    await ok('get sts -o wide', /CONTAINERS +IMAGES\ndb +2\/1 .* db +db:1/)
  })
})
