import { LocationProvider, Route, Router, lazy, useLocation } from 'preact-iso'
import { useEffect, useRef } from 'preact/hooks'
import { Help, useKeys } from './keys.tsx'
import { contact, heardAtMs, nowMs, startLive } from './live-store.ts'
import { Devices } from './pages/devices.tsx'
import { Login } from './pages/login.tsx'
import { Overview } from './pages/overview.tsx'
import { forgetToken, token } from './session.ts'
import { useWish } from './use-wish.ts'
import { duration } from './words.ts'

const Device = lazy(() => import('./pages/device.tsx').then((page) => page.Device))
const Topology = lazy(() => import('./topology/page.tsx').then((page) => page.Topology))
const Workloads = lazy(() => import('./pages/lists.tsx').then((page) => page.Workloads))
const Pods = lazy(() => import('./pages/lists.tsx').then((page) => page.Pods))
const Events = lazy(() => import('./pages/lists.tsx').then((page) => page.Events))
const Audit = lazy(() => import('./pages/lists.tsx').then((page) => page.Audit))
const Workload = lazy(() => import('./pages/workload.tsx').then((page) => page.Workload))
const Why = lazy(() => import('./pages/why.tsx').then((page) => page.Why))
const Logs = lazy(() => import('./pages/logs.tsx').then((page) => page.Logs))
const WorkloadLogs = lazy(() => import('./pages/logs.tsx').then((page) => page.WorkloadLogs))
const Rollouts = lazy(() => import('./pages/rollouts.tsx').then((page) => page.Rollouts))
const Rollout = lazy(() => import('./pages/rollout.tsx').then((page) => page.Rollout))
const Apply = lazy(() => import('./editor/pages.tsx').then((page) => page.Apply))
const Edit = lazy(() => import('./editor/pages.tsx').then((page) => page.Edit))
const Inbox = lazy(() => import('./pages/inbox.tsx').then((page) => page.Inbox))

const PLACES = [
  ['/console/', 'Overview'],
  ['/console/devices', 'Devices'],
  ['/console/workloads', 'Workloads'],
  ['/console/pods', 'Pods'],
  ['/console/rollouts', 'Rollouts'],
  ['/console/events', 'Events'],
  ['/console/audit', 'Audit'],
  ['/console/apply', 'Apply'],
] as const

/** The frame around every page. */
export function App() {
  if (token.value === null) return <Login />
  return (
    <LocationProvider scope="/console">
      <Frame />
    </LocationProvider>
  )
}

function Frame() {
  const { path } = useLocation()
  const help = useRef<HTMLDialogElement>(null)
  const nav = useRef<HTMLElement>(null)
  const { route } = useLocation()
  useEffect(() => startLive(), [])
  useEffect(() => {
    document.title = `${PLACES.find(([at]) => at === path)?.[1] ?? decodeURIComponent(path.split('/').at(-1) ?? '')} · Skerry`
    // on a phone the places do not fit beside each other
    const here = nav.current?.querySelector<HTMLElement>('[aria-current]')
    if (nav.current !== null && here !== null && here !== undefined) nav.current.scrollLeft = here.offsetLeft - nav.current.clientWidth / 2
  }, [path])
  useKeys(route, () => help.current?.showModal())
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header>
        <a class="brand" href="/console/">
          Skerry
        </a>
        <nav aria-label="Main" ref={nav}>
          {PLACES.map(([at, label]) => (
            <a key={at} href={at} aria-current={isAt(path, at) ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <div class="header-end">
          <Waiting />
          <Freshness />
          <button type="button" class="quiet" aria-label="Keys and words" onClick={() => help.current?.showModal()}>
            ?
          </button>
          <button type="button" class="quiet sign-out" onClick={() => forgetToken('')}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Pages />
      </main>
      <Help dialog={help} />
    </>
  )
}

function Pages() {
  return (
    <Router>
      <Route path="/console" component={Overview} />
      <Route path="/console/devices" component={Devices} />
      <Route path="/console/devices/:name" component={Device} />
      <Route path="/console/devices/:name/topology" component={Topology} />
      <Route path="/console/workloads" component={Workloads} />
      <Route path="/console/workloads/:kind/:namespace/:name" component={Workload} />
      <Route path="/console/pods" component={Pods} />
      <Route path="/console/why/:namespace/:name" component={Why} />
      <Route path="/console/logs/:namespace/:name" component={Logs} />
      <Route path="/console/logs/:kind/:namespace/:name" component={WorkloadLogs} />
      <Route path="/console/rollouts" component={Rollouts} />
      <Route path="/console/rollouts/:namespace/:name" component={Rollout} />
      <Route path="/console/apply" component={Apply} />
      <Route path="/console/edit/:kind/:namespace/:name" component={Edit} />
      <Route path="/console/events" component={Events} />
      <Route path="/console/audit" component={Audit} />
      <Route path="/console/inbox" component={Inbox} />
      <Route default component={Nowhere} />
    </Router>
  )
}

function Nowhere() {
  return (
    <>
      <h1>There is nothing here</h1>
      <p>
        <a href="/console/">Overview</a>
      </p>
    </>
  )
}

function Waiting() {
  const waiting = useWish({ part: 'summary' })?.waiting ?? 0
  return (
    <a class={`waiting ${waiting > 0 ? 'some' : ''}`} href="/console/inbox">
      Waiting for you ({waiting})
    </a>
  )
}

/** A stale picture says so, and how old it is. */
function Freshness() {
  if (contact.value === 'loading') return <p class="fresh" />
  if (contact.value === 'live')
    return (
      <p class="fresh">
        <i aria-hidden="true" />
        live
      </p>
    )
  return (
    <p class="fresh lost" role="alert">
      No contact with the cloud, trying again.{heardAtMs.value === null ? '' : ` Data is ${duration(nowMs.value - heardAtMs.value)} old.`}
    </p>
  )
}

function isAt(path: string, at: string): boolean {
  return at === '/console/' ? path === '/console' || path === '/console/' : path === at || path.startsWith(`${at}/`)
}
