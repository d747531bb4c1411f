/** The workload of the fleet: one small pod on every device, changed in place. */
export const DAEMON_SETS = '/apis/apps/v1/namespaces/default/daemonsets'

export function daemonSet(image: string) {
  const resources = { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'app', annotations: { 'skerry.dev/update-strategy': 'InPlace' } },
    spec: {
      selector: { matchLabels: { app: 'app' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        metadata: { labels: { app: 'app' }, annotations: { 'skerry.dev/ready-deadline': '10' } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, resources }] },
      },
    },
  }
}
