import { LocationProvider, Route, Router, useLocation } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { contact, heardAtMs, nowMs, startLive } from './live-store.ts'
import { Device } from './pages/device.tsx'
import { Devices } from './pages/devices.tsx'
import { Events } from './pages/events.tsx'
import { Login } from './pages/login.tsx'
import { Overview } from './pages/overview.tsx'
import { Workload } from './pages/workload.tsx'
import { Workloads } from './pages/workloads.tsx'
import { forgetToken, token } from './session.ts'
import { duration } from './words.ts'

const PLACES = [
  ['/console/', 'Overview'],
  ['/console/devices', 'Devices'],
  ['/console/workloads', 'Workloads'],
  ['/console/events', 'Events'],
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
  useEffect(() => startLive(), [])
  useEffect(() => {
    document.title = `${PLACES.find(([at]) => at === path)?.[1] ?? decodeURIComponent(path.split('/').at(-1) ?? '')} · Skerry`
  }, [path])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header>
        <span class="brand">Skerry</span>
        <nav aria-label="Main">
          {PLACES.map(([at, label]) => (
            <a key={at} href={at} aria-current={isAt(path, at) ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <Freshness />
        <button type="button" onClick={() => forgetToken('')}>
          Sign out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {contact.value === 'loading' ? <p role="status">Loading…</p> : <Pages />}
      </main>
    </>
  )
}

function Pages() {
  return (
    <Router>
      <Route path="/console" component={Overview} />
      <Route path="/console/devices" component={Devices} />
      <Route path="/console/devices/:name" component={Device} />
      <Route path="/console/workloads" component={Workloads} />
      <Route path="/console/workloads/:kind/:namespace/:name" component={Workload} />
      <Route path="/console/events" component={Events} />
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
      No contact with the cloud. Data is {duration(nowMs.value - heardAtMs.value)} old.
    </p>
  )
}

function isAt(path: string, at: string): boolean {
  return at === '/console/' ? path === '/console' || path === '/console/' : path === at || path.startsWith(`${at}/`)
}
