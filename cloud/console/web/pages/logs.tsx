import { useRoute } from 'preact-iso'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { PodRow } from '../../view-model.ts'
import { useLogs } from '../log-lines.ts'
import type { LogLine, LogsSeen } from '../log-lines.ts'
import { Nothing } from '../parts/nothing.tsx'
import { saveText } from '../save-file.ts'
import { call } from '../session.ts'
import { useWish } from '../use-wish.ts'
import { plural } from '../words.ts'

/** Logs that one answer may carry, and those chosen at first. */
const [MOST, FIRST] = [32, 8]

/** The log of one pod, live: the device sends it while somebody looks. */
export function Logs() {
  const { namespace = '', name = '' } = useRoute().params
  const pod = `${namespace}/${name}`
  return (
    <>
      <p class="crumb">
        <a href={`/console/why/${pod}`}>{pod}</a>
      </p>
      <h1>Log of {name}</h1>
      <LogView key={pod} pods={[pod]} from={() => ''} name={name} />
    </>
  )
}

/** The logs of the pods of a workload, beside each other, each line with its device. */
export function WorkloadLogs() {
  const { kind = '', namespace = '', name = '' } = useRoute().params
  const key = `${kind}/${namespace}/${name}`
  const part = useWish({ part: 'workload', key })
  const [chosen, setChosen] = useState<readonly string[] | null>(null)
  if (part === undefined) return <p role="status">Loading…</p>
  if (part.row === null && part.podCount === 0) return <Nothing name={name} what="workload" />
  const placed = part.pods.filter(({ device }) => device !== null)
  const pods = chosen ?? placed.slice(0, FIRST).map((pod) => pod.key)
  const devices = new Map(placed.map((pod) => [pod.key, pod.device ?? '']))
  return (
    <>
      <p class="crumb">
        <a href={`/console/workloads/${key}`}>{name}</a>
      </p>
      <h1>Logs of {name}</h1>
      <Chooser placed={placed} chosen={pods} onChosen={setChosen} />
      {pods.length === 0 ? <p class="empty">No pod is chosen.</p> : <LogView pods={pods} from={(pod) => devices.get(pod) ?? pod} name={name} />}
    </>
  )
}

interface ChooserProps {
  readonly placed: readonly PodRow[]
  readonly chosen: readonly string[]
  onChosen(pods: readonly string[]): void
}

function Chooser({ placed, chosen, onChosen }: ChooserProps) {
  return (
    <details class="groups">
      <summary>
        {chosen.length} of {plural(placed.length, 'pod')}, at most {MOST} at once
      </summary>
      <ul class="choices">
        {placed.map((pod) => (
          <li key={pod.key}>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(pod.key)}
                disabled={!chosen.includes(pod.key) && chosen.length >= MOST}
                onChange={(event) => onChosen(event.currentTarget.checked ? [...chosen, pod.key] : chosen.filter((one) => one !== pod.key))}
              />{' '}
              {pod.device} <small class="inline">{pod.name}</small>
            </label>
          </li>
        ))}
      </ul>
    </details>
  )
}

interface LogViewProps {
  readonly pods: readonly string[]
  /** what stands before a line; '' = nothing */
  from(pod: string): string
  /** of the file that it is saved as */
  readonly name: string
}

function LogView({ pods, from, name }: LogViewProps) {
  const [find, setFind] = useState('')
  const [only, setOnly] = useState(true)
  const [paused, setPaused] = useState(false)
  const [container, setContainer] = useState('')
  const containers = useContainers(pods[0] ?? '')
  // a pod with one container needs no name: asking anew for it would begin the log again
  const seen = useLogs(pods, containers.length < 2 ? '' : container || (containers[0] ?? ''), paused)
  const { lines } = seen
  const shown = useMemo(() => (find === '' || !only ? lines : lines.filter(({ text }) => text.includes(find))), [lines, find, only])
  return (
    <>
      <div class="log-bar">
        <input
          type="search"
          data-search
          aria-label="Find in the log"
          placeholder="find"
          value={find}
          onInput={(event) => setFind(event.currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} /> only matches
        </label>
        {containers.length < 2 ? null : (
          <label>
            Container{' '}
            <select value={container || containers[0]} onChange={(event) => setContainer(event.currentTarget.value)}>
              {containers.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" disabled={shown.length === 0} onClick={() => saveText(textOfLines(shown, from), `${name}.log`)}>
          Save
        </button>
        <span class="muted" role="status">
          {stateOf(seen, paused)} {find === '' ? plural(lines.length, 'line') : `${shown.length} of ${plural(lines.length, 'line')}`}
        </span>
      </div>
      <Said seen={seen} from={from} />
      <Lines lines={shown} find={find} from={from} paused={paused} />
    </>
  )
}

function stateOf({ state }: LogsSeen, paused: boolean): string {
  if (paused) return 'Paused.'
  return { asking: 'Asking the device…', live: 'Live.', ended: 'The log has ended.', lost: 'No contact with the cloud.' }[state]
}

/** Pods without a log, and why. */
function Said({ seen: { said, lines }, from }: { readonly seen: LogsSeen; from(pod: string): string }) {
  const silent = Object.entries(said).filter(([pod]) => !lines.some((line) => line.pod === pod))
  if (silent.length === 0) return null
  return (
    <ul class="log-said">
      {silent.map(([pod, says]) => (
        <li key={pod}>
          {from(pod) === '' ? '' : `${from(pod)}. `}No log: {says}
        </li>
      ))}
    </ul>
  )
}

interface LinesProps {
  readonly lines: readonly LogLine[]
  readonly find: string
  readonly paused: boolean
  from(pod: string): string
}

function Lines({ lines, find, from, paused }: LinesProps) {
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!paused) end.current?.scrollIntoView({ block: 'nearest' })
  }, [lines, paused])
  return (
    <div class="log" tabIndex={0} role="region" aria-label="Log lines">
      {lines.map(({ pod, text }, at) => (
        <div key={at}>
          {from(pod) === '' ? null : <b>{from(pod)} </b>}
          {find === '' ? text : marked(text, find)}
        </div>
      ))}
      <div ref={end} />
    </div>
  )
}

function marked(line: string, find: string) {
  return line.split(find).flatMap((part, at) => (at === 0 ? [part] : [<mark key={at}>{find}</mark>, part]))
}

function textOfLines(lines: readonly LogLine[], from: (pod: string) => string): string {
  return lines.map(({ pod, text }) => `${from(pod) === '' ? '' : `${from(pod)} `}${text}\n`).join('')
}

interface WithContainers {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly containers: readonly { readonly name: string }[] }
}

/** Containers of a pod, the one that it names first; empty until they are known. */
function useContainers(pod: string): readonly string[] {
  const [containers, setContainers] = useState<readonly string[]>([])
  useEffect(() => {
    const [namespace = '', name = ''] = pod.split('/')
    const stop = new AbortController()
    call(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`, {}, stop.signal)
      .then(async (response) => {
        if (!response.ok) return
        const { metadata, spec } = (await response.json()) as WithContainers
        const usual = metadata.annotations?.['kubectl.kubernetes.io/default-container']
        setContainers(spec.containers.map((one) => one.name).toSorted((a, b) => Number(b === usual) - Number(a === usual)))
      })
      .catch(() => undefined)
    return () => stop.abort()
  }, [pod])
  return containers
}
