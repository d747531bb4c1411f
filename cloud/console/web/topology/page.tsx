import { useRoute } from 'preact-iso'
import { useEffect, useState } from 'preact/hooks'
import { isRecord } from '../../../../protocol/shape.ts'
import { Picture } from '../../../../protocol/topology-view/picture.tsx'
import { nowMs } from '../live-store.ts'
import { Nothing } from '../parts/nothing.tsx'
import { SameInShell } from '../parts/same-in-shell.tsx'
import { call } from '../session.ts'
import { useWish } from '../use-wish.ts'
import { duration } from '../words.ts'
// oxlint-disable-next-line import/no-unassigned-import -- the styles of this page alone, loaded with it
import '../../../../protocol/topology-view/picture.css'

/** How one device is laid out, and what each workload has of it: the picture of the field page, with the scheduler's plan. */
export function Topology() {
  const { name = '' } = useRoute().params
  return <TopologyOf key={name} name={name} />
}

/** null = not yet */
type Told = { readonly facts: unknown; readonly toldAt: string } | { readonly whyNot: string } | 'none' | null

function TopologyOf({ name }: { readonly name: string }) {
  const [told, setTold] = useState<Told>(null)
  // asked again when anything about the device changed
  const part = useWish({ part: 'device', name })
  const changed = JSON.stringify(part?.compared ?? null)
  useEffect(() => {
    const stop = new AbortController()
    call(`/console/api/topology?device=${encodeURIComponent(name)}`, {}, stop.signal)
      .then(async (response) => {
        if (response.status === 404) return setTold('none')
        setTold(response.ok ? read(await response.json()) : { whyNot: `the cloud answered ${response.status}` })
      })
      .catch((error: unknown) => (stop.signal.aborted ? undefined : setTold({ whyNot: error instanceof Error ? error.message : String(error) })))
    return () => stop.abort()
  }, [changed])
  if (told === 'none') return <Nothing name={name} what="device" />
  return (
    <>
      <p class="crumb">
        <a href={`/console/devices/${name}`}>{name}</a>
      </p>
      <h1>Topology of {name}</h1>
      {told === null ? (
        <p role="status">Asking…</p>
      ) : 'whyNot' in told ? (
        <p role="alert">How the device is laid out could not be read: {told.whyNot}.</p>
      ) : (
        <>
          <p class="muted">{ageOf(told.toldAt)} Plan shows waiting pods where the scheduler would put them.</p>
          <Picture facts={told.facts} />
          <SameInShell command={`skerry topology ${name}`} />
        </>
      )}
    </>
  )
}

function read(body: unknown): Told {
  if (!isRecord(body)) return { whyNot: 'the answer is not an object' }
  return { facts: body['facts'], toldAt: typeof body['toldAt'] === 'string' ? body['toldAt'] : '' }
}

function ageOf(toldAt: string): string {
  const at = Date.parse(toldAt)
  return Number.isNaN(at)
    ? 'As the cloud keeps it; the device has not told it anew.'
    : `Hardware as the device told it ${duration(nowMs.value - at)} ago.`
}
