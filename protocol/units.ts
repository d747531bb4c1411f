/**
 * Kubernetes quantities. Grammar and rounding follow apimachinery `resource.Quantity`: decimal and binary suffixes,
 * `n u m`, exponents; values are held exactly in nano units.
 */

const NANO = 1_000_000_000n
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
}
const DECIMAL_NANO: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  '': NANO,
  k: NANO * 10n ** 3n,
  M: NANO * 10n ** 6n,
  G: NANO * 10n ** 9n,
  T: NANO * 10n ** 12n,
  P: NANO * 10n ** 15n,
  E: NANO * 10n ** 18n,
}
const QUANTITY = /^([+-]?)(\d{1,20})?(?:\.(\d{0,12}))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/

/** Exact value in nano units, or null when the text is not a quantity. Rounds up below one nano, as Kubernetes does. */
export function parseQuantityNano(text: string): bigint | null {
  const match = QUANTITY.exec(text)
  if (match === null) return null
  const [, sign, whole, fraction, binary, decimal, exponent] = match
  if (whole === undefined && (fraction === undefined || fraction === '')) return null
  const digits = BigInt((whole ?? '0') + (fraction ?? ''))
  const scale = 10n ** BigInt((fraction ?? '').length)
  let factor: bigint | undefined
  if (binary !== undefined) factor = (BINARY[binary] ?? 1n) * NANO
  else if (exponent !== undefined) {
    const power = Number(exponent)
    if (power < -9 || power > 18) return null
    factor = power >= 0 ? NANO * 10n ** BigInt(power) : NANO / 10n ** BigInt(-power)
  } else factor = DECIMAL_NANO[decimal ?? '']
  if (factor === undefined) return null
  const product = digits * factor
  const nano = product / scale + (product % scale === 0n ? 0n : 1n)
  return sign === '-' ? -nano : nano
}

/** Whole units rounded up (bytes, pods, pids), or null. Accepts the number form that YAML writers use. */
export function parseUnits(value: string | number): number | null {
  const nano = parseQuantityNano(String(value))
  if (nano === null) return null
  return Number(ceilDiv(nano, NANO))
}

/** Thousandths rounded up (cpu), or null. `"500m"` is 500, `"2"` is 2000. */
export function parseMilli(value: string | number): number | null {
  const nano = parseQuantityNano(String(value))
  if (nano === null) return null
  return Number(ceilDiv(nano, 1_000_000n))
}

function ceilDiv(a: bigint, b: bigint): bigint {
  const q = a / b
  return a % b > 0n ? q + 1n : q
}

/** `1500` -> `"1500m"`, `2000` -> `"2"`. */
export function formatMilli(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}

/** Largest binary suffix that divides evenly: `536870912` -> `"512Mi"`, else plain bytes. */
export function formatBytes(bytes: number): string {
  for (const suffix of ['Gi', 'Mi', 'Ki'] as const) {
    const unit = Number(BINARY[suffix] ?? 1n)
    if (bytes !== 0 && bytes % unit === 0) return `${bytes / unit}${suffix}`
  }
  return String(bytes)
}

/** For people: one decimal, binary units, `"3.2 GiB"`. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let index = 0
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024
    index += 1
  }
  return `${index === 0 ? value : value.toFixed(1)} ${units[index] ?? 'B'}`
}
