/**
 * Every page of the console, and what it shows in each state of a real cloud. A page that the app serves and that is not here fails the
 * test; a state that a page does not have says why.
 */

/** Names of the world that the pages are looked at in. */
export interface World {
  /** with a real engine */
  readonly gateway: string
  /** a pretend device, and one that is cut off */
  readonly pretend: string
  readonly away: string
  /** pods of the DaemonSet on the first two, and one that no device can take */
  readonly realPod: string
  readonly pretendPod: string
  readonly greedyPod: string
}

/** Before any device; all is well; things are wrong; no such object. */
export const STATES = ['empty', 'normal', 'trouble', 'none'] as const
export type State = (typeof STATES)[number]

export interface Shown {
  readonly at: (world: World) => string
  /** a text that says that what is asked for is there */
  readonly says: (world: World) => string | RegExp
  /** typed as the manifest, and checked, before it says so */
  readonly typed?: string
}

export interface PageRow {
  readonly name: string
  /** as the app has it; the same route may be looked at in several views */
  readonly route: string
  /** a string = why there is no such state */
  readonly states: Readonly<Record<State, Shown | string>>
}

type Text = string | RegExp | ((world: World) => string)

const shown = (at: string | ((world: World) => string), says: Text): Shown => ({
  at: typeof at === 'string' ? () => at : at,
  says: typeof says === 'function' ? says : () => says,
})

const REFUSED = `apiVersion: apps/v1
kind: Deployment
metadata: { name: hello, namespace: default }
spec: { replicas: many, selector: { matchLabels: { app: hello } }, template: { metadata: { labels: { app: hello } }, spec: { containers: [] } } }
`

const OF_ONE = 'it is about one object: without any it says that there is none'
const OF_ALL = 'it is about all of them, not one'

export const PAGES: readonly PageRow[] = [
  {
    name: 'overview',
    route: '/console',
    states: {
      empty: shown('/', 'skerry join'),
      normal: shown('/', 'Everything runs as wanted.'),
      trouble: shown('/', /needs? attention/),
      none: OF_ALL,
    },
  },
  {
    name: 'devices',
    route: '/console/devices',
    states: {
      empty: shown('/devices', 'No device has joined yet.'),
      normal: shown('/devices', ({ gateway }) => gateway),
      trouble: shown('/devices?q=state%3Aoffline', ({ away }) => away),
      none: shown('/devices?q=state%3Abroken', 'state is never broken'),
    },
  },
  {
    name: 'field',
    route: '/console/devices',
    states: {
      empty: shown('/devices?view=field', 'No device has joined yet.'),
      normal: shown('/devices?view=field&by=site', 'The same as a table: 2 groups'),
      trouble: shown('/devices?view=field&by=site&q=state%3Aoffline', '1 device of 6'),
      none: shown('/devices?view=field&q=no-such-thing', 'No device matches.'),
    },
  },
  {
    name: 'map',
    route: '/console/devices',
    states: {
      empty: shown('/devices?view=map', 'No device has joined yet.'),
      normal: shown('/devices?view=map', '3 devices of the filter without a place'),
      trouble: shown('/devices?view=map&q=state%3Aoffline', 'The same as a table: 1 place'),
      none: shown('/devices?view=map&q=no-such-thing', 'No device matches.'),
    },
  },
  {
    name: 'device',
    route: '/console/devices/:name',
    states: {
      empty: OF_ONE,
      normal: shown(({ gateway }) => `/devices/${gateway}`, 'all as wanted'),
      trouble: shown(({ away }) => `/devices/${away}`, 'last heard'),
      none: shown('/devices/none', 'There is no such device'),
    },
  },
  {
    name: 'topology',
    route: '/console/devices/:name/topology',
    states: {
      empty: OF_ONE,
      normal: shown(({ gateway }) => `/devices/${gateway}/topology`, 'Topology as a table'),
      trouble: shown(({ away }) => `/devices/${away}/topology`, 'Topology as a table'),
      none: shown('/devices/none/topology', 'There is no such device'),
    },
  },
  {
    name: 'workloads',
    route: '/console/workloads',
    states: {
      empty: shown('/workloads', 'Nothing has been applied yet'),
      normal: shown('/workloads', 'sensor'),
      trouble: shown('/workloads?q=greedy', 'greedy'),
      none: shown('/workloads?q=no-such-thing', 'No workload matches.'),
    },
  },
  {
    name: 'workload',
    route: '/console/workloads/:kind/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown('/workloads/DaemonSet/default/sensor', '6 of 6 ready'),
      trouble: shown('/workloads/Deployment/default/greedy', /0 of 6 devices/),
      none: shown('/workloads/Deployment/default/none', 'There is no such workload'),
    },
  },
  {
    name: 'pods',
    route: '/console/pods',
    states: {
      empty: shown('/pods', 'No pod has been made yet.'),
      normal: shown('/pods', ({ realPod }) => realPod),
      trouble: shown('/pods?q=state%3Anot-placed', ({ greedyPod }) => greedyPod),
      none: shown('/pods?q=no-such-thing', 'No pod matches.'),
    },
  },
  {
    name: 'why',
    route: '/console/why/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown(({ realPod }) => `/why/default/${realPod}`, 'It is: it runs on'),
      trouble: shown(({ greedyPod, pretend }) => `/why/default/${greedyPod}?on=${pretend}`, 'Every rule on this device'),
      none: shown('/why/default/none', 'This pod is gone.'),
    },
  },
  {
    name: 'log',
    route: '/console/logs/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown(({ realPod }) => `/logs/default/${realPod}`, '21.5 C'),
      trouble: shown(({ pretendPod }) => `/logs/default/${pretendPod}`, 'No log:'),
      none: shown('/logs/default/none', 'No log:'),
    },
  },
  {
    name: 'logs',
    route: '/console/logs/:kind/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown('/logs/DaemonSet/default/sensor', '21.5 C'),
      trouble: shown('/logs/Deployment/default/greedy', 'No pod is chosen.'),
      none: shown('/logs/DaemonSet/default/none', 'There is no such workload'),
    },
  },
  {
    name: 'rollouts',
    route: '/console/rollouts',
    states: {
      empty: shown('/rollouts', 'No rollout has been made yet'),
      normal: shown('/rollouts', 'sensor-2'),
      trouble: shown('/rollouts?q=state%3Apaused', 'sensor-4'),
      none: shown('/rollouts?q=no-such-thing', 'No rollout matches.'),
    },
  },
  {
    name: 'rollout',
    route: '/console/rollouts/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown('/rollouts/default/sensor-2', 'The same as a table'),
      trouble: shown('/rollouts/default/sensor-4', 'Exclude this group and resume'),
      none: shown('/rollouts/default/none', 'There is no such rollout'),
    },
  },
  {
    name: 'apply',
    route: '/console/apply',
    states: {
      empty: shown('/apply', 'What it would do'),
      normal: shown('/apply?new=rollout', 'As a form'),
      trouble: { ...shown('/apply', 'spec.replicas'), typed: REFUSED },
      none: OF_ALL,
    },
  },
  {
    name: 'edit',
    route: '/console/edit/:kind/:namespace/:name',
    states: {
      empty: OF_ONE,
      normal: shown('/edit/DaemonSet/default/sensor', 'What it would do'),
      trouble: shown(({ gateway }) => `/edit/Node/-/${gateway}`, 'What it would do'),
      none: shown('/edit/Deployment/default/none', 'There is no Deployment default/none'),
    },
  },
  {
    name: 'events',
    route: '/console/events',
    states: {
      empty: shown('/events', 'Nothing has happened'),
      normal: shown('/events', 'Scheduled'),
      trouble: shown('/events?q=type%3Awarning', 'FailedScheduling'),
      none: shown('/events?q=no-such-thing', 'No event matches.'),
    },
  },
  {
    name: 'audit',
    route: '/console/audit',
    states: {
      empty: shown('/audit', 'Nobody has changed anything'),
      normal: shown('/audit', /^nodes/),
      trouble: shown('/audit?q=kind%3Arollouts', 'the image does not exist'),
      none: shown('/audit?q=no-such-thing', 'No act matches.'),
    },
  },
  {
    name: 'inbox',
    route: '/console/inbox',
    states: {
      empty: shown('/inbox', 'Nothing waits for a decision.'),
      normal: shown('/inbox', 'Nothing waits for a decision.'),
      trouble: shown('/inbox', 'Paused by rule'),
      none: OF_ALL,
    },
  },
  {
    name: 'nowhere',
    route: 'default',
    states: {
      empty: shown('/nowhere', 'There is nothing here'),
      normal: 'it has no data',
      trouble: 'it has no data',
      none: 'it is that state',
    },
  },
]
