/**
 * Golden cases of the planner: one behaviour per file, named after it. SKERRY_REWRITE=1 writes the plan that came out into
 * the files, to be read as a diff before it is committed; refused in CI.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { Scalar, parseDocument } from 'yaml'
import { describe, expect, it } from 'vitest'
import type { AgentState, LedgerEntry } from '../edge-agent/core/model.ts'
import { plan } from '../edge-agent/core/plan.ts'
import { renderPlan } from '../edge-agent/core/render-plan.ts'
import { DEVICE, desiredOf, found, ledgerOf, pod, smallDevice } from './agent-world.ts'
import type { FoundInput, PodInput } from './agent-world.ts'

interface Case {
  readonly why: string
  readonly knowledge?: AgentState['knowledge']
  readonly nowMs?: number
  readonly desired?: readonly PodInput[] | null
  readonly observed?: readonly FoundInput[]
  readonly ledger?: Readonly<Record<string, Partial<LedgerEntry>>>
  readonly inventory?: 'two-cpus'
  readonly allowedCpus?: string
  readonly adopted?: readonly string[]
  readonly plan: string
}

const FOLDER = new URL('./cases/plan/', import.meta.url)
const REWRITE = process.env['SKERRY_REWRITE'] === '1'
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()

describe('plan', () => {
  it('has its cases, and is never rewritten in CI', () => {
    expect(files.length).toBeGreaterThanOrEqual(30)
    expect(REWRITE && process.env['CI'] !== undefined).toBe(false)
  })

  for (const file of files) {
    it(file.replace('.yaml', '').replaceAll('-', ' '), () => {
      const document = parseDocument(readFileSync(new URL(file, FOLDER), 'utf8'))
      const input = document.toJS() as Case
      const text = `${planText(input).join('\n')}\n`
      if (REWRITE && process.env['CI'] === undefined) {
        const scalar = new Scalar(text)
        scalar.type = Scalar.BLOCK_LITERAL
        document.set('plan', scalar)
        writeFileSync(new URL(file, FOLDER), document.toString({ lineWidth: 0 }))
      } else expect(text).toBe(input.plan)
    })
  }
})

function planText(input: Case): readonly string[] {
  const nowMs = input.nowMs ?? 60_000
  const made = plan(
    {
      device: DEVICE,
      knowledge: input.knowledge ?? 'known',
      desired: input.desired === null || input.desired === undefined ? null : desiredOf(input.desired.map(pod)),
      observed: (input.observed ?? []).map(found),
      ledger: ledgerOf(input.ledger ?? {}),
      probes: {},
      inventory: input.inventory === undefined ? null : smallDevice(input.allowedCpus === undefined ? {} : { allowedCpus: input.allowedCpus }),
      adopted: input.adopted ?? [],
    },
    nowMs,
  )
  return renderPlan(made, nowMs)
}
