/** Answers probes without a network: what each container says is set by the test, by action or for all. */
import type { ProbeAction, ProbeAnswer } from '../../edge-agent/core/probe-model.ts'
import type { Prober } from '../../edge-agent/runtime/probe-runner.ts'

export class FakeProber implements Prober {
  readonly asked: ProbeAction[] = []
  answer: (action: ProbeAction) => ProbeAnswer | Promise<ProbeAnswer> = () => ({ verdict: 'success', message: '' })

  async run(action: ProbeAction): Promise<ProbeAnswer> {
    this.asked.push(action)
    if (this.asked.length > 1_000) this.asked.shift()
    return this.answer(action)
  }
}
