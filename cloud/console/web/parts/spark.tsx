/** A line without axes: how a number went. Less than three samples are no line. */
export function Spark({
  values,
  label,
  width = 96,
  height = 22,
}: {
  readonly values: readonly number[]
  readonly label: string
  readonly width?: number
  readonly height?: number
}) {
  if (values.length < 3) return null
  const most = Math.max(...values, 1)
  const least = Math.min(...values)
  const points = values.map((value, at) => {
    const x = (at / (values.length - 1)) * (width - 2) + 1
    const y = height - 2 - ((value - least) / Math.max(1e-9, most - least)) * (height - 4)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={`${label}: ${values.at(-1) ?? 0} now, ${least} to ${most}`}
    >
      <polyline points={points.join(' ')} fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  )
}
