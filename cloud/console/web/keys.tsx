import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import { STANDINGS, STANDING_ORDER } from '../vocabulary.ts'
import { StandingWord } from './parts/mark.tsx'
import { forgetToken } from './session.ts'

const GO: Readonly<Record<string, string>> = {
  o: '/console/',
  d: '/console/devices',
  w: '/console/workloads',
  p: '/console/pods',
  r: '/console/rollouts',
  e: '/console/events',
  a: '/console/apply',
  i: '/console/inbox',
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search in this page, or in devices'],
  ['g then o, d, w, p, r, e, a, i', 'go to overview, devices, workloads, pods, rollouts, events, apply, what waits for you'],
  ['↑ ↓ Page Home End', 'move in a list, when it has the focus; Enter opens'],
  ['arrow keys', 'move from dot to dot in the field; Enter opens the device'],
  ['?', 'this help'],
  ['Esc', 'closes what is open'],
]

/** Keys that work everywhere, as long as nobody types into a field. */
export function useKeys(route: (path: string) => void, openHelp: () => void): void {
  useEffect(() => {
    let afterG = false
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
        document.querySelector('dialog[open]') !== null
      )
        return
      const place = afterG ? GO[event.key] : undefined
      afterG = event.key === 'g'
      if (place !== undefined) route(place)
      else if (event.key === '?') openHelp()
      else if (event.key === '/') search(route)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

function search(route: (path: string) => void): void {
  const box = (): HTMLInputElement | null => document.querySelector('[data-search]')
  const here = box()
  // at once: the next letter may be on its way already
  if (here !== null) return here.focus()
  route('/console/devices')
  setTimeout(() => box()?.focus(), 100)
}

export function Help({ dialog }: { readonly dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title">
      <h2 id="help-title">Keys and words</h2>
      <dl class="facts">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h3>States of a device, the worst first</h3>
      <dl class="facts">
        {STANDING_ORDER.map((standing) => (
          <div key={standing}>
            <dt>
              <StandingWord standing={standing} />
            </dt>
            <dd>{STANDINGS[standing].means}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="main">
          Close
        </button>
        <button type="button" onClick={() => forgetToken('')}>
          Sign out
        </button>
      </form>
    </dialog>
  )
}
