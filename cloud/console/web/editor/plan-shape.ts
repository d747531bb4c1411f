/** What `POST /skerry/v1/plans/NAMESPACE` answers, as far as the editor shows it. */
export interface PlanShown {
  /** put into spec.planId: the rollout then starts with exactly these members */
  readonly planId: string
  readonly releases: readonly { readonly daemonSet: string; readonly summary: string }[]
  readonly waves: readonly {
    readonly number: number
    readonly name: string
    readonly members: number
    readonly skipped: number
    readonly silent: number
    readonly approval: boolean
    readonly expectedSeconds: number | null
  }[]
  readonly totals: {
    readonly members: number
    readonly skipped: number
    readonly silent: number
    readonly bytesToPull: number
    readonly devicesWithUnknownBytes: number
    readonly expectedSeconds: number | null
    readonly downtimeSeconds: { readonly from: number; readonly to: number } | null
    readonly notCounted: readonly string[]
  }
  readonly devices: readonly {
    readonly node: string
    readonly wave: number
    readonly verdict: string
    readonly sentence?: string
    readonly silent: boolean
    readonly bytesToPull: number | null
  }[]
}
