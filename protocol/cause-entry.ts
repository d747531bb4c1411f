/** Does waiting help? never = somebody must change something; resource = when something becomes free or appears. */
export type Retry = 'never' | 'backoff' | 'when-target-changes' | 'when-resource-appears'
export type CauseClass = 'spec' | 'device' | 'network' | 'image' | 'policy' | 'cloud' | 'user'

export interface CauseEntry {
  readonly class: CauseClass
  readonly retry: Retry
  /** Sentence with `{fact}` slots, filled from the cause's facts. */
  readonly says: string
  /** One next action for a person. */
  readonly next: string
}

/** One row of a cause table. */
export const entry = (cls: CauseClass, retry: Retry, says: string, next: string): CauseEntry => ({ class: cls, retry, says, next })
