import type { DeviceRow } from '../../view-model.ts'
import { qrCode } from '../qr-code.ts'

/** Where the page of the device itself is, for whoever stands in its network: as a link, and as a picture for a phone's camera. */
export function FieldLink({ row }: { readonly row: DeviceRow }) {
  const { page } = row
  if (page === null) return <p class="muted">Its agent does not tell of one.</p>
  if (!page.reachable)
    return (
      <p class="muted">
        Open only on the device itself, at <code>{page.url}</code>. <code>--page 0.0.0.0:8090</code> opens it to its network.
      </p>
    )
  return (
    <>
      <p>
        <a href={page.url} rel="noreferrer" target="_blank">
          {page.url}
        </a>{' '}
        <span class="muted">opens in the network of the device</span>
      </p>
      <details class="labels">
        <summary>As a QR code</summary>
        <Qr text={page.url} />
      </details>
    </>
  )
}

/** Four modules of quiet around it, dark on light by night, too: cameras want it so. */
function Qr({ text }: { readonly text: string }) {
  const rows = qrCode(text)
  if (rows === null) return <p class="muted">The address is too long for a picture.</p>
  const side = rows.length + 8
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join('')
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} width={side * 5} height={side * 5} role="img" aria-label={`QR code of ${text}`}>
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
