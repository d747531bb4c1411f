/** Texts to start from. */

export const TEMPLATES: Readonly<Record<string, string>> = {
  deployment: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
  namespace: default
spec:
  replicas: 1
  selector:
    matchLabels: { app: hello }
  template:
    metadata:
      labels: { app: hello }
    spec:
      containers:
        - name: main
          image: busybox:1.36
          command: [sh, -c, 'while true; do echo hello; sleep 10; done']
          resources:
            requests: { cpu: 50m, memory: 32Mi }
`,
  daemonset: `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: sensor
  namespace: default
  annotations:
    skerry.dev/update-strategy: InPlace
spec:
  selector:
    matchLabels: { app: sensor }
  template:
    metadata:
      labels: { app: sensor }
    spec:
      containers:
        - name: main
          image: busybox:1.36
          command: [sh, -c, 'while true; do echo measuring; sleep 10; done']
          resources:
            requests: { cpu: 50m, memory: 32Mi }
`,
  rollout: `apiVersion: skerry.dev/v1
kind: Rollout
metadata:
  name: sensor-1-37
  namespace: default
spec:
  # what changes: images of a DaemonSet
  release:
    - daemonSet: sensor
      images: { main: busybox:1.37 }
  # first one device, then a tenth, then the rest when somebody approved it
  waves:
    - { name: canary, count: 1 }
    - { name: tenth, percent: 10 }
    - { name: rest, approval: true }
  gate:
    healthyPercent: 95
    soakSeconds: 60
    maxFailurePercent: 5
`,
}
