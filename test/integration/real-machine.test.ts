/**
 * The kits, as they are carried to a server and to a gateway, on a machine with systemd: installed, joined, restarted, upgraded, broken and
 * removed, as somebody who flashes gateways does it. Both are on one machine here; they meet over its loopback.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packKits } from '../../scripts/kit.ts'
import { eventually } from '../../scripts/testbed/testbed.ts'
import { pinnedNode } from '../../scripts/testbed/pinned-node.ts'
import { buildOnce } from './build-once.ts'
import { whyNoKubectl } from './programs.ts'
import { bootSystemdMachine, whyNoSystemd } from './systemd-machine.ts'
import type { SystemdMachine } from './systemd-machine.ts'

const why = whyNoSystemd() ?? whyNoKubectl()
if (why !== null) console.warn(`a machine with systemd: not run: ${why}`)

const PAGE = 'http://127.0.0.1:8090'
/** Node of Debian is the gateway's; the cloud needs a newer one */
const CLOUD_NODE = '/opt/node/bin/node'

const WORK = `
apiVersion: v1
kind: Secret
metadata: { name: key }
stringData: { word: open-sesame }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8000 }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: busybox:1
          command: [sh, -c, 'echo made >/kept/by-pod; cd /key; httpd -f -p 8000']
          readinessProbe: { exec: { command: [sh, -c, 'test "$(cat /key/word)" = open-sesame && test -e /home/by-pod'] }, periodSeconds: 1 }
          volumeMounts: [{ name: key, mountPath: /key }, { name: kept, mountPath: /kept }, { name: home, mountPath: /home }]
      volumes:
        - { name: key, secret: { secretName: key } }
        - { name: kept, hostPath: { path: /srv/kept, type: DirectoryOrCreate } }
        - { name: home, hostPath: { path: /home/engineer, type: Directory } }
`

describe.skipIf(why !== null)('a machine with systemd', () => {
  let machine: SystemdMachine
  const run = (script: string): Promise<string> => machine.run(script)
  const says = (what: string, script: string, wanted: RegExp): Promise<void> =>
    eventually(what, async () => {
      const said = await run(`${script} 2>&1 || true`)
      return wanted.test(said) ? null : said
    })
  const page = (path = '/'): string => `curl -s --max-time 5 ${PAGE}${path}`
  const container = (): Promise<string> => run("docker ps --no-trunc --filter name=web --format '{{.ID}} {{.Names}}' | grep -- -main-")

  beforeAll(async () => {
    await buildOnce()
    const kits = await packKits()
    machine = await bootSystemdMachine()
    await run('mkdir -p /opt/node/bin /root/image/bin')
    await machine.put(pinnedNode(), CLOUD_NODE)
    for (const { archive } of [kits.agent, kits.cloud]) await machine.put(archive, `/root/${archive.split('/').at(-1) ?? ''}`)
    await run(`chmod +x ${CLOUD_NODE}; cd /root; for kit in *.tar.gz; do tar xzf $kit; done
      cp /bin/busybox image/bin/; for name in sh cat echo test httpd wget; do ln -s busybox image/bin/$name; done
      tar -C image -c . | docker import - busybox:1`)
  })
  afterAll(async () => {
    await machine?.destroy()
  })

  it('has a cloud after one command, which says what it lacks', async () => {
    await expect(run('cd /root/skerry-cloud-*/ && sh install.sh')).rejects.toThrow(/Node 24 or newer/)
    await expect(run(`cd /root/skerry-cloud-*/ && sh install.sh --node ${CLOUD_NODE}`)).rejects.toThrow(/--advertise cloud.example.com/)
    const said = await run(`cd /root/skerry-cloud-*/ && sh install.sh --node ${CLOUD_NODE} --advertise 127.0.0.1`)
    expect(said).toContain('The cloud runs')
    await run('export KUBECONFIG=/var/lib/skerry-cloud/kubeconfig; kubectl get nodes')
    expect(await run('curl -sL http://127.0.0.1:8080/')).toContain('<html')
    // nobody but root and the service reads its keys
    expect(await run('stat -c %a /var/lib/private/skerry-cloud; ! su nobody -s /bin/sh -c "cat /var/lib/skerry-cloud/admin-token"')).toMatch(/^700/)
  })

  it('has an agent that waits for its join file, and joins when it comes', async () => {
    // as on hosts where nothing below /run may be written by a service
    await run(`mkdir -p /etc/systemd/system/skerry-agent.service.d
      printf '[Service]\\nReadOnlyPaths=/run\\n' >/etc/systemd/system/skerry-agent.service.d/test.conf`)
    const said = await run('cd /root/skerry-agent-*/ && sh install.sh')
    expect(said).toContain('It waits for its join file')
    await says('the page says what is missing', page(), /not joined yet[\s\S]*skerry join DEVICE/)
    await run('skerry join gw-1 >/tmp/join.json; grep -q mqtts: /tmp/join.json; install -m 0600 /tmp/join.json /var/lib/skerry-agent/join.json')
    const nodes = 'KUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl get nodes -o wide'
    await says('it has joined', nodes, /gw-1 +Ready .*docker:\/\/\d/)
    expect(await run(page())).not.toContain('not joined yet')
    // the work of others goes with their words
    expect(await run('cat /usr/lib/skerry-agent/THIRD-PARTY-LICENCES')).toMatch(/dockerode [\d.]+ \(Apache-2.0\)[\s\S]*Apache License/)
    expect(await run('skerry-agent pin; skerry-agent inventory -o json | head -c 1')).toMatch(/^\d{4,}\n\{/)
  })

  it('runs a pod that takes a secret and folders of the host, homes too', async () => {
    await run(`mkdir -p /home/engineer; touch /home/engineer/by-pod
      echo '{ "hostPaths": [{ "path": "/srv" }, { "path": "/home" }] }' >/var/lib/skerry-agent/policy.json; systemctl restart skerry-agent`)
    await run(`cat >/tmp/work.yaml <<'END'\n${WORK}\nEND\nKUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl apply -f /tmp/work.yaml`)
    await says('it is ready', 'KUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl get pods', /web-\w+ +1\/1/)
    expect(await run('cat /srv/kept/by-pod; stat -c %a /srv/kept')).toBe('made\n755\n')
    // in memory, never on the disk
    expect(await run('! grep -rq open-sesame /var/lib/skerry-agent/pods && grep -rl open-sesame /run/skerry-agent | wc -l')).toMatch(/^[1-9]/)
  })

  it('gives logs, a shell, a Service by its name and diagnostics through the walls of the unit', async () => {
    const kubectl = (rest: string): Promise<string> => run(`export KUBECONFIG=/var/lib/skerry-cloud/kubeconfig; kubectl ${rest}`)
    const pod = (await kubectl('get pods -o name')).trim()
    expect(await kubectl(`exec ${pod} -- wget -qO- http://web/word`)).toBe('open-sesame')
    await kubectl(`exec ${pod} -- sh -c 'echo said >/proc/1/fd/1'`)
    await says('its log has it', `KUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl logs ${pod}`, /said/)
    const said = await run('skerry-agent bundle /tmp/bundle.json.gz; zcat /tmp/bundle.json.gz')
    expect(said).toContain('gw-1')
    expect(said).not.toContain('open-sesame')
    expect(await run(`${page('/metrics')} | grep -c ^skerry_`)).toMatch(/^[1-9]/)
  })

  it('restarts, kills and upgrades the agent, and the pod does not notice', async () => {
    const before = await container()
    const secret = 'docker exec $(docker ps -q --filter name=-main-) cat /key/word'
    for (const act of [
      'systemctl restart skerry-agent',
      'kill -9 $(systemctl show -p MainPID --value skerry-agent)',
      'cd /root/skerry-agent-*/ && sh install.sh --page 0.0.0.0:8090',
    ]) {
      await run(act)
      await says('the agent is back', page('/readyz'), /ok|ready/i)
      expect(await run(secret)).toBe('open-sesame')
    }
    expect(await container()).toBe(before)
    expect(await run('ss -ltn')).toMatch(/0\.0\.0\.0:8090/)
  })

  it('brings the pod back after a reboot, which empties what is in memory, without the cloud', async () => {
    const before = await container()
    await run('systemctl stop skerry-cloud skerry-agent docker.service docker.socket containerd; rm -rf /run/skerry-agent /run/docker*')
    await run('systemctl start docker skerry-agent')
    await says('its secret is back', 'docker exec $(docker ps -q --filter name=-main-) cat /key/word', /^open-sesame$/)
    expect(await container()).toBe(before)
    await run('systemctl start skerry-cloud')
    await says('the cloud hears it', 'KUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl get pods,nodes', /web-\w+ +1\/1[\s\S]*gw-1 +Ready/)
  })

  it('whose agent does not start any more has a page that says so, and the pod runs', async () => {
    const before = await container()
    await run("echo 'process.exit(3)' >/usr/lib/skerry-agent/skerry-launch.cjs; systemctl restart skerry-agent || true")
    await says('the rescue page answers', page(), /the agent is down[\s\S]*systemctl reset-failed skerry-agent; systemctl restart skerry-agent/)
    expect(await container()).toBe(before)
    // as that page advises, once the reason is gone; it has the port of before, which others reach
    await run('cp /root/skerry-agent-*/skerry-launch.cjs /usr/lib/skerry-agent/; systemctl reset-failed skerry-agent; systemctl restart skerry-agent')
    await says('the agent is back', page('/readyz'), /ok|ready/i)
    await says('on its port', 'ss -ltn; systemctl is-active skerry-agent.socket', /0\.0\.0\.0:8090[\s\S]*\nactive/)
    expect(await container()).toBe(before)
    await run("echo 'process.exit(3)' >/usr/lib/skerry-agent/skerry-launch.cjs; systemctl restart skerry-agent || true")
    await says('the rescue page answers again', page(), /the agent is down/)
    // an upgrade keeps what an earlier installation was told
    expect(await run('cd /root/skerry-agent-*/ && sh install.sh')).toContain('http://0.0.0.0:8090/')
    await says('the agent is back', page('/readyz'), /ok|ready/i)
    expect(await container()).toBe(before)
  })

  it('loses the agent, not the pod', async () => {
    const before = await container()
    const said = await run('sh /root/skerry-agent-*/install.sh --remove')
    expect(await container()).toBe(before)
    // and it is found by the words that are printed
    expect(await run(`${/docker ps .*/.exec(said)?.[0] ?? 'false'} -q --no-trunc`)).toContain(before.split(' ')[0])
    expect(await run('systemctl list-unit-files "skerry-*" --no-legend; ls /usr/lib/skerry-agent 2>&1 || true')).not.toMatch(
      /skerry-(agent|rescue)\./,
    )
    expect(await run('ls /var/lib/skerry-agent')).toContain('join.json')
  })

  it('asks for its own join file with the key of its fleet, through the walls of the unit', async () => {
    const before = await container()
    await run('rm -rf /var/lib/skerry-agent; skerry enroll --prefix line -l site=kassel >/tmp/fleet.json')
    await run('cd /root/skerry-agent-*/ && sh install.sh --join /tmp/fleet.json')
    // this machine has no board and no network card: it is told so, and what to do
    await says('the page says why not', page(), /neither a serial number nor a network card[\s\S]*skerry join DEVICE/)
    await run(`mkdir -p /opt/board/proc/device-tree; printf '10000000e5\\0' >/opt/board/proc/device-tree/serial-number
      unit=/etc/systemd/system/skerry-agent.service; start=$(sed -n 's/^ExecStart=//p' $unit)
      mkdir -p $unit.d; printf '[Service]\\nExecStart=\\nExecStart=%s --hardware-root /opt/board\\n' "$start" >$unit.d/board.conf
      systemctl daemon-reload; systemctl restart skerry-agent`)
    await says('it has its own', 'stat -c %a /var/lib/skerry-agent/join.json; grep device /var/lib/skerry-agent/join.json', /600\n.*line-10000000e5/)
    await says('the cloud hears it', 'KUBECONFIG=/var/lib/skerry-cloud/kubeconfig kubectl get nodes -l site=kassel', /line-10000000e5/)
    expect(await container()).toBe(before)
    await run('sh /root/skerry-agent-*/install.sh --remove')
  })

  it('puts the agent into a system image', async () => {
    await run('mkdir -p /tmp/image/etc /tmp/image/usr/bin; cp /usr/bin/node /tmp/image/usr/bin/')
    const said = await run('cp /tmp/join.json /tmp/j.json; sh /root/skerry-agent-*/install.sh --root /tmp/image --join /tmp/j.json')
    expect(said).toContain('/tmp/image')
    const files = await run(
      'cd /tmp/image && find etc usr var -name "*skerry*" | sort; readlink usr/lib/skerry-agent/node; stat -c %a var/lib/skerry-agent/join.json',
    )
    expect(files).toContain('etc/systemd/system/multi-user.target.wants/skerry-agent.service')
    expect(files).toMatch(/\/usr\/bin\/node\n600\n$/)
    expect(await run('chroot /tmp/image /usr/bin/skerry-agent version 2>&1 || ls /tmp/image/usr/bin')).toContain('skerry-agent')
  })
})
