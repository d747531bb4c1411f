/** Serial ports, cameras and GPIO chips: what workloads at the edge talk to the world with. */
import type { Peripheral } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'

const TTY = '/sys/class/tty'
const VIDEO = '/sys/class/video4linux'
const GPIO = '/sys/bus/gpio/devices'
const SHOWN_EACH = 20

export async function probePeripherals(reader: HostReader, evidence: Evidence): Promise<readonly Peripheral[]> {
  const found = await Promise.all([serialPorts(reader), cameras(reader), gpioChips(reader)])
  for (const [index, source] of [TTY, VIDEO, GPIO].entries()) {
    const list = found[index] ?? []
    if (list[0] !== undefined) evidence.source(`peripherals.${list[0].kind}`, source)
    if (list.length > SHOWN_EACH) evidence.finding(`${list.length} devices of one kind; the first ${SHOWN_EACH} are listed`, source)
  }
  return found.flatMap((list) => list.slice(0, SHOWN_EACH))
}

/** Ports with hardware behind them that the system does not use as its console. */
async function serialPorts(reader: HostReader): Promise<readonly Peripheral[]> {
  const consoles = ((await reader.read('/proc/consoles')) ?? '').split('\n').map((line) => line.split(/\s+/)[0] ?? '')
  const names = (await reader.list(TTY)).filter(
    (name) => /^tty(S|USB|ACM|AMA|mxc|THS|TCU|LP|O|STM|SC|XRUSB|MAX)\d+$/.test(name) && !consoles.includes(name),
  )
  const real = await Promise.all(
    names.map(async (name) => {
      // a PC lists 32 ports of which most are not there: their type is 0
      if ((await reader.read(`${TTY}/${name}/type`)) === '0') return false
      return !name.startsWith('ttyS') || (await reader.read(`${TTY}/${name}/type`)) !== null
    }),
  )
  return names.filter((_, index) => real[index]).map((name) => ({ kind: 'serial', file: `/dev/${name}` }))
}

/** Codecs and image pipelines show video nodes too; a camera may show several, of which the first has index 0. */
const NOT_A_CAMERA = /codec|hevc|enc\b|dec\b|encoder|decoder|vpu|-isp|rpivid|rga|hantro|cedrus|coda|venus|mem2mem|m2m|loopback|metadata/i

async function cameras(reader: HostReader): Promise<readonly Peripheral[]> {
  const found: Peripheral[] = []
  for (const node of await reader.list(VIDEO)) {
    if (!/^video\d+$/.test(node)) continue
    const [title, index] = await Promise.all([reader.read(`${VIDEO}/${node}/name`), reader.read(`${VIDEO}/${node}/index`)])
    if (NOT_A_CAMERA.test(title ?? '') || (index !== null && index !== '0')) continue
    found.push({ kind: 'camera', file: `/dev/${node}`, ...(title === null ? {} : { name: title.slice(0, 128) }) })
  }
  return found
}

async function gpioChips(reader: HostReader): Promise<readonly Peripheral[]> {
  const chips = (await reader.list(GPIO)).filter((name) => /^gpiochip\d+$/.test(name))
  return chips.map((name) => ({ kind: 'gpio', file: `/dev/${name}` }))
}
