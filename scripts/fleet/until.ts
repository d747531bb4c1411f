/** Waits for a state of the world and prints how far it is. */
export interface Progress {
  readonly done: number
  readonly of: number
}

/** A line when the share moved by a tenth. @throws with the last count when it takes too long */
export async function until(what: string, timeoutMs: number, look: () => Promise<Progress>, everyMs = 500): Promise<void> {
  const started = performance.now()
  let shown = 0
  for (;;) {
    const { done, of } = await look()
    if (done >= of) return
    const elapsed = performance.now() - started
    const share = Math.floor((10 * done) / Math.max(1, of))
    if (share > shown && elapsed > 2_000) {
      shown = share
      process.stdout.write(`    ${(elapsed / 1000).toFixed(1).padStart(6)} s  ${done} of ${of} ${what}\n`)
    }
    if (elapsed > timeoutMs) throw new Error(`after ${Math.round(elapsed / 1000)} s only ${done} of ${of} ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** Until `look` has nothing to say against it. @throws with what it said last */
export async function untilSaid(what: string, timeoutMs: number, look: () => Promise<string | null>): Promise<void> {
  const started = performance.now()
  for (;;) {
    const said = await look().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    if (said === null) return
    if (performance.now() - started > timeoutMs) throw new Error(`after ${Math.round(timeoutMs / 1000)} s not yet: ${what}; ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
