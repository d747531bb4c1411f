import { Component } from 'preact'
import type { ComponentChildren } from 'preact'

interface SectionProps {
  readonly title: string
  readonly area: string
  readonly aside?: string
  /** new data gives a section that failed another try */
  readonly data: unknown
  readonly children: () => ComponentChildren
}

/** A titled part of the page that fails alone: what it cannot show never takes the others with it. */
export class Section extends Component<SectionProps, { readonly failedOn: unknown; readonly failed: boolean }> {
  override state = { failed: false, failedOn: null as unknown }

  override componentDidCatch(): void {
    this.setState({ failed: true, failedOn: this.props.data })
  }

  override render({ title, area, aside, data, children }: SectionProps) {
    const id = `${area}-title`
    const failed = this.state.failed && this.state.failedOn === data
    return (
      <section class={`section ${area}`} aria-labelledby={id}>
        <h2 id={id}>
          {title}
          {aside === undefined ? null : <small>{aside}</small>}
        </h2>
        {failed ? (
          <p class="muted">This part cannot be shown: the agent sent something that this page does not understand.</p>
        ) : (
          <Body of={children} />
        )}
      </section>
    )
  }
}

function Body({ of }: { readonly of: () => ComponentChildren }) {
  return <>{of()}</>
}
