import type { HardwareView } from '../view-model.ts'
import { Picture } from '../../../protocol/topology-view/picture.tsx'
import { bytes } from './words.ts'

/** The device as a small map: its topology as a picture, memory and disks as bars, the rest in words. */
interface HardwareProps {
  readonly hardware: HardwareView | null
}

export function Hardware({ hardware }: HardwareProps) {
  if (hardware === null) return <p class="muted">Not read yet.</p>
  const { memory } = hardware
  return (
    <>
      {hardware.findings.length === 0 ? null : (
        <ul class="findings">
          {hardware.findings.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <Picture facts={hardware.topology} />
      {memory === null ? null : <Bar label="Memory" used={usedOf(memory)} total={memory.totalBytes} />}
      {hardware.disks.map((disk) => (
        <Bar key={disk.mount} label={disk.mount} used={disk.usedBytes} total={disk.sizeBytes} />
      ))}
      <dl class="facts-list">
        {hardware.facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

function Bar({ label, used, total }: { readonly label: string; readonly used: number | null; readonly total: number }) {
  const share = used === null || total <= 0 ? null : Math.min(100, Math.max(0, Math.round((used / total) * 100)))
  return (
    <div class="bar">
      <span class="bar-label">{label}</span>
      <span class={`track ${share !== null && share >= 90 ? 'full' : ''}`} aria-hidden="true">
        {share === null ? null : <i style={{ width: `${share}%` }} />}
      </span>
      <span class="bar-text">{used === null ? bytes(total) : `${bytes(used)} of ${bytes(total)}, ${share} %`}</span>
    </div>
  )
}

function usedOf(memory: NonNullable<HardwareView['memory']>): number | null {
  return memory.availableBytes === null ? null : memory.totalBytes - memory.availableBytes
}
