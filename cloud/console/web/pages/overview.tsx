import { Cause } from '../parts/cause.tsx'
import { Dots } from '../parts/dots.tsx'
import { EventList } from '../parts/event-list.tsx'
import { Mark } from '../parts/mark.tsx'
import { Tally } from '../parts/tally.tsx'
import type { Count } from '../parts/tally.tsx'
import { devices, events, pods, workloads } from '../live-store.ts'
import { problemsOf } from '../problems.ts'
import type { Problem } from '../problems.ts'
import { byTrouble, plural } from '../words.ts'
import type { DeviceRow, Tone, WorkloadRow } from '../../view-model.ts'

const MOST = 12

/** How the fleet stands: problems first, then counts that lead to their members. */
export function Overview() {
  const fleet = devices.all().toSorted(byTrouble)
  // without devices the headline says all there is to say
  const problems = problemsOf(fleet, pods.all()).filter((one) => fleet.length > 0 || one.cause.code !== 'placement.no-nodes')
  return (
    <div class="overview">
      <div class="problems">
        <h1 class={problems.some((one) => one.tone === 'bad') ? 'bad' : ''}>{headline(problems, fleet.length)}</h1>
        {fleet.length === 0 ? (
          <p>
            Make a join file with <code>skerry join NAME</code> and start an agent with it.
          </p>
        ) : null}
        {problems.slice(0, MOST).map((one) => (
          <ProblemRow key={one.key} problem={one} />
        ))}
        {problems.length > MOST ? <MoreProblems count={problems.length - MOST} /> : null}
      </div>
      <div class="side">
        <Tally title="Devices" counts={deviceCounts(fleet)} />
        <Dots rows={fleet} />
        <Tally title="Workloads" counts={workloadCounts(workloads.all())} />
        <section aria-label="Recent events">
          <h2>Recent events</h2>
          <EventList rows={events.all()} max={8} />
          <p>
            <a href="/console/events">All events</a>
          </p>
        </section>
      </div>
    </div>
  )
}

function MoreProblems({ count }: { readonly count: number }) {
  return (
    <p class="muted">
      and {plural(count, 'more cause')}: see <a href="/console/workloads?state=trouble">workloads</a> and <a href="/console/devices">devices</a>
    </p>
  )
}

function ProblemRow({ problem }: { readonly problem: Problem }) {
  const shown = problem.members.slice(0, 6)
  return (
    <article class="problem">
      <Mark tone={problem.tone} />
      <div>
        <Cause cause={problem.cause} />
        <p class="members">
          {shown.map((one) => (
            <a key={one.href + one.label} href={one.href}>
              {one.label}
            </a>
          ))}
          {problem.members.length > shown.length ? <span class="muted">and {problem.members.length - shown.length} more</span> : null}
        </p>
      </div>
    </article>
  )
}

function headline(problems: readonly Problem[], fleet: number): string {
  if (fleet === 0) return 'No device has joined yet.'
  if (problems.length === 0) return 'Everything runs as wanted.'
  return problems.length === 1 ? 'One thing needs attention.' : `${problems.length} things need attention.`
}

function deviceCounts(rows: readonly DeviceRow[]): readonly Count[] {
  const count = (word: string): number => rows.filter((row) => row.word === word).length
  const of = (word: string, tone: Tone): Count => ({ word, tone, count: count(word), href: `/console/devices?state=${word}` })
  return [of('offline', 'bad'), of('degraded', 'warn'), of('never-seen', 'unknown'), of('online', 'ok')]
}

function workloadCounts(rows: readonly WorkloadRow[]): readonly Count[] {
  const count = (tone: Tone): number => rows.filter((row) => row.tone === tone).length
  const of = (word: string, tone: Tone): Count => ({ word, tone, count: count(tone), href: `/console/workloads?state=${word}` })
  return [of('trouble', 'bad'), of('unknown', 'unknown'), of('changing', 'busy'), of('fine', 'ok')]
}
