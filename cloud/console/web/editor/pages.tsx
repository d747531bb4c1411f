import { useLocation, useRoute } from 'preact-iso'
import { useEffect, useState } from 'preact/hooks'
import { fetchObject, pathOf } from './check.ts'
import { Editor } from './editor.tsx'
import { manifestText } from './manifest.ts'
import { TEMPLATES } from './templates.ts'

/** New objects, or changes merged into what exists: what `skerry apply` does. */
export function Apply() {
  const { query, route } = useLocation()
  const kind = query['new'] ?? ''
  return (
    <>
      <div class="title">
        <h1>Apply</h1>
        <label class="group-by">
          Start from{' '}
          <select
            value={kind}
            onChange={(event) => route(event.currentTarget.value === '' ? '/console/apply' : `/console/apply?new=${event.currentTarget.value}`)}
          >
            <option value="">an empty text</option>
            {Object.keys(TEMPLATES).map((one) => (
              <option key={one} value={one}>
                a {one}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Editor key={kind} start={TEMPLATES[kind] ?? ''} opened={null} />
    </>
  )
}

/** One object as it is now. */
export function Edit() {
  const { kind = '', namespace = '', name = '' } = useRoute().params
  return <EditOf key={`${kind}/${namespace}/${name}`} kind={kind} namespace={namespace} name={name} />
}

interface Loaded {
  readonly text: string
  readonly resourceVersion: string
}

function EditOf({ kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string }) {
  const [loaded, setLoaded] = useState<Loaded | string | null>(null)
  const [round, setRound] = useState(0)
  useEffect(() => {
    load(kind, namespace, name)
      .then(setLoaded)
      .catch((error: unknown) => setLoaded(error instanceof Error ? error.message : String(error)))
  }, [round])
  return (
    <>
      <p class="crumb">
        <a href={kind === 'Node' ? `/console/devices/${name}` : `/console/workloads/${kind}/${namespace}/${name}`}>{name}</a>
      </p>
      <div class="title">
        <h1>
          Edit {kind} {name}
        </h1>
        <button type="button" onClick={() => setRound(round + 1)}>
          Load again
        </button>
      </div>
      {loaded === null ? (
        <p role="status">Loading…</p>
      ) : typeof loaded === 'string' ? (
        <p role="alert">{loaded}</p>
      ) : (
        <Editor key={`${loaded.resourceVersion} ${round}`} start={loaded.text} opened={{ resourceVersion: loaded.resourceVersion }} />
      )}
    </>
  )
}

async function load(kind: string, namespace: string, name: string): Promise<Loaded | string> {
  const path = await pathOf(kind, namespace, name)
  const object = path === null ? null : await fetchObject(path)
  if (object === null) return `There is no ${kind} ${namespace}/${name}.`
  const metadata = object['metadata'] as { readonly resourceVersion?: string }
  return { text: manifestText(object), resourceVersion: metadata.resourceVersion ?? '' }
}
