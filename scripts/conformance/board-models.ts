/** What a board's own words say it is, and how nvidia-smi's rows and bus addresses are read. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { identifyBoard } from '../../device-profiles/board.ts'
import { PROFILES } from '../../device-profiles/catalogue.ts'
import { isIntegrated, parseSmiRow, smiExitMeaning, smiNumber } from '../../edge-agent/inventory/nvidia-smi.ts'
import { sysfsAddress } from '../../edge-agent/inventory/probe-nvidia.ts'
import { isRecord } from '../../protocol/shape.ts'
import { Tally, differs } from './suite.ts'
import type { Suite } from './suite.ts'

const BOARDS = 'topology-policy/board-models.json'
const ROWS = 'topology-policy/nvidia-smi-rows.json'

export const suite: Suite = {
  name: 'board-models',
  needs: [BOARDS, ROWS],
  run(fixtures) {
    const tally = new Tally()
    casesOf(path.join(fixtures, BOARDS)).forEach((one, index) => tally.case(`board ${index} ${text(one['model'])}`, boardWrong(one)))
    casesOf(path.join(fixtures, ROWS)).forEach((one, index) => {
      if (typeof one['row'] === 'string') tally.case(`row ${index}`, rowWrong(one, one['row']))
      for (const pair of list(one['busIds'])) tally.equal(`bus id ${text(pair['nvml'])}`, sysfsAddress(text(pair['nvml'])), pair['sysfs'])
      if (isRecord(one['exitCodes'])) {
        for (const code of Object.keys(one['exitCodes']))
          tally.check(`exit ${code}`, (smiExitMeaning(Number(code)) === null) === (code === '0'), () => 'is not known')
      }
    })
    return tally.result()
  },
}

type Json = Readonly<Record<string, unknown>>

function casesOf(file: string): readonly Json[] {
  if (!existsSync(file)) return []
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return isRecord(document) ? list(document['cases']) : []
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

/** the fixtures write NUL and line ends as their escapes */
function text(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll('\\u0000', '').replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\0', '') : ''
}

function boardWrong(one: Json): readonly string[] {
  const cpuinfo = text(one['cpuinfoTail'])
  const field = (name: string): string | null => new RegExp(`^${name}\\s*:[ \\t]*(.+)$`, 'm').exec(cpuinfo)?.[1] ?? null
  const model = text(one['model']) || field('Model')
  const compatible = Array.isArray(one['compatible']) ? one['compatible'].map(text) : []
  const board = identifyBoard(PROFILES, { arch: 'arm64', compatible, product: null, model }, field('Hardware'))
  const got: Json = { family: board.family, soc: board.soc, module: board.module, revision: field('Revision') }
  const expected = isRecord(one['expected']) ? one['expected'] : {}
  return Object.entries(expected).flatMap(([name, want]) => differs(name, want, got[name]) ?? [])
}

const ROW_FACTS: Readonly<Record<string, (row: Readonly<Record<string, string | null>>) => unknown>> = {
  name: (row) => row['name'] ?? row['gpu_name'] ?? null,
  driver: (row) => row['driver_version'] ?? null,
  uuid: (row) => row['uuid'] ?? row['gpu_uuid'] ?? null,
  index: (row) => smiNumber(row['index']),
  temperatureC: (row) => smiNumber(row['temperature.gpu']),
  temperatureMemoryC: (row) => smiNumber(row['temperature.memory']),
  utilization: (row) => smiNumber(row['utilization.gpu']),
  memoryTotalMiB: (row) => smiNumber(row['memory.total']),
  memoryFreeMiB: (row) => smiNumber(row['memory.free']),
  memoryUsedMiB: (row) => smiNumber(row['memory.used']),
  fanPercent: (row) => smiNumber(row['fan.speed']),
  integrated: (row) => isIntegrated(row['name'] ?? null),
}

function rowWrong(one: Json, row: string): readonly string[] {
  const parsed = parseSmiRow(text(one['query']).split(','), row)
  const expected = isRecord(one['expected']) ? one['expected'] : {}
  return Object.entries(expected).flatMap(([name, want]) => {
    const read = ROW_FACTS[name]
    return read === undefined ? [`no reader for ${name}`] : (differs(name, want, read(parsed)) ?? [])
  })
}
