/** GPUs, NPUs and TPUs that sysfs shows without the PCI bus's help: DRM cards, the accel class, devfreq, drivers' own classes, USB. */
import type { Accelerator } from '../../protocol/inventory.ts'
import { lookUp } from '../../protocol/look-up.ts'
import type { HostReader } from '../ports.ts'
import { readAmd, readDevfreq, readIntelNpuClock, readRockchipLoad, readSensors } from './accelerator-readings.ts'
import { ACCEL_DRIVERS, ACCEL_VENDORS, CHARACTER_CLASSES, DRM_DRIVERS, USB_ACCELERATORS } from './accelerator-tables.ts'
import type { DriverFacts } from './accelerator-tables.ts'
import type { Evidence } from './findings.ts'
import { PCI, driverName, readHexId } from './probe-pci.ts'
import { probeJetson } from './probe-jetson.ts'

export async function probeAccelerators(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const found = await Promise.all([
    drmCards(reader, evidence),
    accelDevices(reader, evidence),
    rockchipNpus(reader, evidence),
    characterDevices(reader, evidence),
    usbDevices(reader, evidence),
    probeJetson(reader, evidence),
  ])
  const kept: Accelerator[] = []
  for (const one of found.flat()) {
    // the same Rockchip NPU shows as a DRM card and in devfreq, the same GPU as a card and as its driver's device
    const twin = kept.findIndex((other) => other.kind === one.kind && other.resource === one.resource && isSoc(other) && isSoc(one))
    const other = kept[twin]
    if (other === undefined) kept.push(one)
    else kept[twin] = { ...one, ...other, deviceFiles: [...new Set([...(other.deviceFiles ?? []), ...(one.deviceFiles ?? [])])] }
  }
  return kept
}

/** On the chip itself there is one of a kind; on a bus there may be several alike. */
function isSoc({ address, kind }: Accelerator): boolean {
  return address === undefined && kind !== 'tpu' && kind !== 'gpu'
}

/** Address of the PCI function that a class device belongs to: its `device` link ends in it. */
async function addressOf(reader: HostReader, dir: string): Promise<string | null> {
  return /([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/.exec((await reader.link(`${dir}/device`)) ?? '')?.[1] ?? null
}

async function drmCards(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const cards = (await reader.list('/sys/class/drm')).filter((name) => /^card\d+$/.test(name))
  const found = await Promise.all(cards.map((card) => drmCard(reader, card)))
  const all = found.filter((one) => one !== null)
  if (all.length > 0) evidence.source('topology.accelerators.drm', '/sys/class/drm/card*/device')
  return all
}

async function drmCard(reader: HostReader, card: string): Promise<Accelerator | null> {
  const device = `/sys/class/drm/${card}/device`
  const [vendor, id, revision, link, address, amd] = await Promise.all([
    readHexId(reader, `${device}/vendor`),
    readHexId(reader, `${device}/device`),
    readHexId(reader, `${device}/revision`),
    reader.link(`${device}/driver`),
    addressOf(reader, `/sys/class/drm/${card}`),
    readAmd(reader, device),
  ])
  // a copy without links still shows whose files these are
  const driver = driverName(link) ?? (amd.vramTotalBytes === undefined && amd.loadPercent === undefined ? null : 'amdgpu')
  const known = lookUp(DRM_DRIVERS, driver)
  if (known === undefined || driver === null) return null
  // the GPU of an Intel processor is always at this place; cards are behind bridges
  const facts: DriverFacts = known.vendor === 'intel' && address === '0000:00:02.0' ? { ...known, kind: 'integrated-gpu' } : known
  const nodes = (await reader.list(`${device}/drm`)).filter((name) => /^(card|renderD)\d+$/.test(name))
  const files = (nodes.length > 0 ? nodes.filter((name) => name.startsWith('renderD')) : [card]).map((name) => `/dev/dri/${name}`)
  return {
    ...basics(address ?? card, facts, driver, { vendor, device: id, address }),
    ...(revision === null ? {} : { revision }),
    ...(facts.kind === 'integrated-gpu' ? { sharesSystemMemory: true } : {}),
    ...amd,
    ...(amd.vramTotalBytes === undefined ? {} : { memoryBytes: amd.vramTotalBytes }),
    ...(facts.vendor === 'rockchip' ? await readRockchipLoad(reader) : {}),
    ...(await readSensors(reader, device)),
    deviceFiles: driver === 'amdgpu' ? ['/dev/kfd', ...files] : files,
  }
}

async function accelDevices(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const places = new Map<string, { readonly device: string; readonly driver: string | null; readonly address: string | null }>()
  for (const name of await reader.list('/sys/class/accel')) {
    if (!/^accel\d+$/.test(name)) continue
    const device = `/sys/class/accel/${name}/device`
    const driver = driverName(await reader.link(`${device}/driver`))
    places.set(name, { device, driver, address: await addressOf(reader, `/sys/class/accel/${name}`) })
  }
  for (const driver of Object.keys(ACCEL_DRIVERS)) {
    for (const bound of await reader.list(`/sys/bus/pci/drivers/${driver}`)) {
      const device = `/sys/bus/pci/drivers/${driver}/${bound}`
      for (const name of await reader.list(`${device}/accel`)) {
        // a folder name cannot hold the colons of an address everywhere
        if (!places.has(name)) places.set(name, { device, driver, address: bound.replace(/^(\w{4,8})_(\w\w)_(\w\w\.\w)$/, '$1:$2:$3') })
      }
    }
  }
  const found = await Promise.all([...places].map(([name, place]) => accelDevice(reader, name, place.device, place)))
  if (found.length > 0) evidence.source('topology.accelerators.accel', '/sys/class/accel/accel*/device')
  return found
}

async function accelDevice(
  reader: HostReader,
  name: string,
  device: string,
  { driver, address }: { readonly driver: string | null; readonly address: string | null },
): Promise<Accelerator> {
  const [vendor, id] = await Promise.all([readHexId(reader, `${device}/vendor`), readHexId(reader, `${device}/device`)])
  const byDriver = lookUp(ACCEL_DRIVERS, driver)
  const facts = byDriver ?? lookUp(ACCEL_VENDORS, vendor) ?? { kind: 'npu', resource: 'skerry.dev/accelerator', vendor: 'unknown' }
  return {
    ...basics(address ?? name, facts, driver, { vendor, device: id, address }),
    ...(facts.vendor === 'intel' ? await readIntelNpuClock(reader, device) : {}),
    ...(driver === 'amdxdna' ? await readDevfreq(reader, 'amdxdna') : {}),
    ...(await readSensors(reader, device)),
    deviceFiles: [`/dev/accel/${name}`],
  }
}

async function rockchipNpus(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const names = (await reader.list('/sys/class/devfreq')).filter((name) => name.endsWith('.npu'))
  if (names.length > 0) evidence.source('topology.accelerators.npu', '/sys/class/devfreq/*.npu')
  const facts = DRM_DRIVERS['rknpu']
  if (facts === undefined) return []
  const loads = await readRockchipLoad(reader)
  return Promise.all(
    names.map(async (name) => ({ ...basics(name, facts, 'rknpu', {}), sharesSystemMemory: true, ...(await readDevfreq(reader, name)), ...loads })),
  )
}

async function characterDevices(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const found: Accelerator[] = []
  for (const { dir, name: pattern, driver, ...facts } of CHARACTER_CLASSES) {
    for (const name of await reader.list(dir)) {
      if (!pattern.test(name)) continue
      const address = await addressOf(reader, `${dir}/${name}`)
      const where = address === null ? `${dir}/${name}/device` : `${PCI}/${address}`
      const [vendor, device] = await Promise.all([readHexId(reader, `${where}/vendor`), readHexId(reader, `${where}/device`)])
      found.push({ ...basics(address ?? name, facts, driver, { vendor, device, address }), deviceFiles: [`/dev/${name}`] })
      evidence.source(`topology.accelerators.${driver}`, `${dir}/${name}`)
    }
  }
  return found
}

async function usbDevices(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const found: Accelerator[] = []
  for (const name of await reader.list('/sys/bus/usb/devices')) {
    const dir = `/sys/bus/usb/devices/${name}`
    const [vendor, device] = await Promise.all([reader.read(`${dir}/idVendor`), reader.read(`${dir}/idProduct`)])
    const facts = USB_ACCELERATORS[`${vendor}:${device}`]
    if (facts === undefined) continue
    // it changes its address when it is given its firmware: the whole bus is what stays
    found.push({ ...basics(name, facts, null, { vendor, device }), deviceFiles: ['/dev/bus/usb'] })
    evidence.source('topology.accelerators.usb', dir)
  }
  return found
}

interface Ids {
  readonly vendor?: string | null
  readonly device?: string | null
  readonly address?: string | null
}

function basics(id: string, facts: DriverFacts, driver: string | null, { vendor, device, address }: Ids): Accelerator {
  return {
    id,
    kind: facts.kind,
    vendor: vendor ?? facts.vendor,
    resource: facts.resource,
    ...(device === null || device === undefined ? {} : { device }),
    ...(driver === null ? {} : { driver }),
    ...(address === null || address === undefined ? {} : { address: address.slice(0, 32) }),
  }
}
