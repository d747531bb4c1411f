/** How people see a gateway of the testbed: its own page, asked from within its network namespace, and the cloud's picture of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway, GatewayContainer } from '../../scripts/testbed/gateway.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { runOk } from './private-dockerd-sweep.ts'
import { whyNoProgram } from './programs.ts'

interface Line {
  readonly says: string
  readonly cause: { readonly code: string; readonly says: string; readonly next: string } | null
}

export interface PageState {
  readonly headline: { readonly says: string }
  readonly engine: Line
  readonly storage: Line
  readonly link: Line
  readonly clock: Line
  readonly workloads: readonly { readonly name: string; readonly word: string; readonly cause: Line['cause'] }[]
  readonly desired: { readonly generation: number } | null
  readonly refusals: readonly { readonly code: string }[]
}

export function whyNoPage(): string | null {
  return whyNoProgram('curl', 'curl')
}

/** @throws when it does not answer within a minute */
export async function pageOf(gateway: Gateway): Promise<PageState> {
  return JSON.parse(await ask(gateway, '')) as PageState
}

function ask(gateway: Gateway, format: string): Promise<string> {
  const argv = [`--net=/var/run/netns/${gateway.engine.netns}`, 'curl', '-sS', '-f', '-m', '60', '-w', format, 'http://127.0.0.1:8090/api/v1/state']
  return runOk('nsenter', argv)
}

/** Asks the page again and again. `end` tells how often it answered, and how long the longest answer took. */
export function watchPage(gateway: Gateway): {
  end(): Promise<{ readonly answers: number; readonly failures: readonly string[]; readonly longestMs: number }>
} {
  const end = new AbortController()
  const failures: string[] = []
  let answers = 0
  let longestMs = 0
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        const text = await ask(gateway, '\n%{time_total}')
        longestMs = Math.max(longestMs, Math.round(1000 * Number(text.slice(text.lastIndexOf('\n') + 1))))
        answers += 1
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
      await sleep(300)
    }
  }
  const done = run()
  return {
    end: async () => {
      end.abort()
      await done
      return { answers, failures, longestMs }
    },
  }
}

/** Status, reason and message of a condition of the Node, joined by spaces. */
export function nodeCondition(bed: Testbed, gateway: Gateway, type: string): Promise<string> {
  const one = `.status.conditions[?(@.type=="${type}")]`
  return bed.cloud.kubectl('get', 'node', gateway.name, '-o', `jsonpath={${one}.status} {${one}.reason} {${one}.message}`)
}

/** null when so many run; else what there is instead */
export async function running(gateway: Gateway, count: number): Promise<string | null> {
  const containers = await gateway.containers()
  return containers.length === count && containers.every((one) => one.running)
    ? null
    : JSON.stringify(containers.map((one) => [one.name, one.running]))
}

/** What must not change when nothing may be disturbed. */
export function identities(containers: readonly GatewayContainer[]): readonly string[] {
  return containers.map(({ id, startedAt, running: runs }) => `${id.slice(0, 12)} ${startedAt} ${runs}`)
}
