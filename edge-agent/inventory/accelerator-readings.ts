/** What an accelerator measures of itself at this moment: load, clock, temperature, power. Shown, never counted as news. */
import type { Accelerator } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import { parseCount } from './id-list.ts'

export type Readings = Pick<Accelerator, 'freqMaxHz' | 'freqHz' | 'freqMaxMHz' | 'freqMHz' | 'loadPercent' | 'coreLoads' | 'temperatureC' | 'powerW'>

/** Temperature and power of a device folder's own sensors. */
export async function readSensors(reader: HostReader, device: string): Promise<Readings> {
  for (const name of await reader.list(`${device}/hwmon`)) {
    const [milliC, microW] = await Promise.all([
      reader.read(`${device}/hwmon/${name}/temp1_input`),
      reader.read(`${device}/hwmon/${name}/power1_input`),
    ])
    const power = parseCount(microW)
    return { ...temperature(milliC), ...(power === null ? {} : { powerW: power / 1e6 }) }
  }
  return {}
}

/** Clock of a devfreq device, in Hz. */
export async function readDevfreq(reader: HostReader, name: string): Promise<Readings> {
  const [max, now] = await Promise.all([count(reader, `/sys/class/devfreq/${name}/max_freq`), count(reader, `/sys/class/devfreq/${name}/cur_freq`)])
  return { ...(max === null ? {} : { freqMaxHz: max }), ...(now === null ? {} : { freqHz: now }) }
}

export async function readIntelNpuClock(reader: HostReader, device: string): Promise<Readings> {
  const [max, now] = await Promise.all([count(reader, `${device}/npu_max_frequency_mhz`), count(reader, `${device}/npu_current_frequency_mhz`)])
  return { ...(max === null ? {} : { freqMaxMHz: max }), ...(now === null ? {} : { freqMHz: now }) }
}

/** `NPU load:  Core0: 45%, Core1: 32%,` on three cores, `NPU load: 12%` on one. The file is root's and needs debugfs. */
export async function readRockchipLoad(reader: HostReader): Promise<Readings> {
  const text = (await reader.read('/sys/kernel/debug/rknpu/load')) ?? ''
  const coreLoads = [...text.matchAll(/(\d{1,3})%/g)].slice(0, 16).map((match) => Number(match[1]))
  return coreLoads.length === 0 ? {} : { coreLoads, loadPercent: Math.floor(coreLoads.reduce((sum, load) => sum + load, 0) / coreLoads.length) }
}

/** A Jetson writes its load in per mille. */
export async function readJetson(reader: HostReader): Promise<Readings> {
  const load = (await count(reader, '/sys/devices/platform/gpu.0/load')) ?? (await count(reader, '/sys/devices/gpu.0/load'))
  const zones = await reader.list('/sys/class/thermal')
  const types = await Promise.all(zones.map((zone) => reader.read(`/sys/class/thermal/${zone}/type`)))
  const zone = zones[types.findIndex((type) => /^gpu-therm/i.test(type ?? ''))]
  const milliC = zone === undefined ? null : await reader.read(`/sys/class/thermal/${zone}/temp`)
  return { ...(load === null ? {} : { loadPercent: Math.min(100, Math.floor(load / 10)) }), ...temperature(milliC) }
}

export async function readAmd(reader: HostReader, device: string): Promise<Partial<Accelerator>> {
  const [load, vramTotalBytes, vramUsedBytes, gttTotalBytes] = await Promise.all(
    ['gpu_busy_percent', 'mem_info_vram_total', 'mem_info_vram_used', 'mem_info_gtt_total'].map((file) => count(reader, `${device}/${file}`)),
  )
  const known: Record<string, number> = {}
  for (const [name, value] of Object.entries({ loadPercent: load, vramTotalBytes, vramUsedBytes, gttTotalBytes })) {
    if (value !== null && value !== undefined) known[name] = value
  }
  return known
}

function temperature(milliC: string | null): Readings {
  return milliC !== null && /^-?\d{1,7}$/.test(milliC) ? { temperatureC: Math.max(-273, Math.trunc(Number(milliC) / 1000)) } : {}
}

async function count(reader: HostReader, file: string): Promise<number | null> {
  return parseCount(await reader.read(file))
}
