/** How much of something is asked for, as a bar and in words. */
export function Bar({ label, used, total, text }: { readonly label: string; readonly used: number; readonly total: number; readonly text: string }) {
  const share = total <= 0 ? 0 : Math.min(100, Math.round((used / total) * 100))
  return (
    <div class="bar">
      <span class="bar-label">{label}</span>
      <span class={`track ${share >= 90 ? 'full' : ''}`} aria-hidden="true">
        <i style={{ width: `${share}%` }} />
      </span>
      <span class="bar-text">{text}</span>
    </div>
  )
}
