/** `skerry apply` (for machines without kubectl) and `skerry why`. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { causeAdvice, causeSentence } from '../../protocol/causes.ts'
import { isRecord } from '../../protocol/shape.ts'
import { resourceKey } from '../resources/object.ts'
import { resourceByKind } from '../resources/registry.ts'
import { call, refuse } from './connection.ts'
import type { Connection } from './connection.ts'

/** Creates each object, or replaces its fields by merge patch when it exists. Stops at the first refusal. */
export async function apply(connection: Connection, file: string, namespace: string): Promise<number> {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch {
    process.stderr.write(`cannot read ${file}\n`)
    return 2
  }
  for (const document of parseAllDocuments(text)) {
    if (document.errors.length > 0) {
      process.stderr.write(`${file}: ${document.errors[0]?.message ?? 'not YAML'}\n`)
      return 1
    }
    const object: unknown = document.toJS({ maxAliasCount: 0 })
    if (object === null) continue
    const code = await applyOne(connection, object, namespace)
    if (code !== 0) return code
  }
  return 0
}

async function applyOne(connection: Connection, object: unknown, fallbackNamespace: string): Promise<number> {
  if (!isRecord(object) || typeof object['kind'] !== 'string' || typeof object['apiVersion'] !== 'string' || !isRecord(object['metadata'])) {
    process.stderr.write('each document needs apiVersion, kind and metadata\n')
    return 1
  }
  const definition = resourceByKind(object['apiVersion'], object['kind'])
  if (definition === undefined) {
    process.stderr.write(`${object['apiVersion']} ${object['kind']} is not a kind of this cloud\n`)
    return 1
  }
  const { name, namespace } = object['metadata']
  const prefix = definition.group === '' ? `/api/${definition.version}` : `/apis/${definition.group}/${definition.version}`
  const space = typeof namespace === 'string' ? namespace : fallbackNamespace
  const collection = definition.namespaced ? `${prefix}/namespaces/${space}/${definition.plural}` : `${prefix}/${definition.plural}`
  const created = await call(connection, 'POST', `${collection}?fieldValidation=Strict`, object)
  if (created.status < 300) {
    process.stdout.write(`${resourceKey(definition)}/${String(name)} created\n`)
    return 0
  }
  if (created.status !== 409) return refuse(created)
  const changed = await call(connection, 'PATCH', `${collection}/${String(name)}?fieldValidation=Strict`, object, 'application/merge-patch+json')
  if (changed.status >= 300) return refuse(changed)
  process.stdout.write(`${resourceKey(definition)}/${String(name)} configured\n`)
  return 0
}

/** One sentence, then one line a device. Exit 7 while the pod is not placeable. */
export async function why(connection: Connection, namespace: string, pod: string, on?: string): Promise<number> {
  const query = on === undefined ? '' : `?node=${encodeURIComponent(on)}`
  const answer = await call(connection, 'GET', `/skerry/v1/why/${namespace}/${pod}${query}`)
  if (answer.status >= 300 || !isRecord(answer.body)) return refuse(answer)
  const { placed, device, sentence, nodes, suggestions } = answer.body
  process.stdout.write(`${placed === true ? `placed on ${String(device)}` : 'not placed'}: ${String(sentence)}\n`)
  for (const node of Array.isArray(nodes) ? nodes : []) {
    if (!isRecord(node)) continue
    const causes = Array.isArray(node['causes']) ? node['causes'].filter(isCause) : []
    const [first] = causes
    process.stdout.write(
      `  ${String(node['node'])} (${String(node['source'])}): ${first === undefined ? 'fits' : causes.map(causeSentence).join('; ')}\n`,
    )
    if (first !== undefined) process.stdout.write(`    ${causeAdvice(first.code).next}\n`)
  }
  for (const one of Array.isArray(suggestions) ? suggestions : []) {
    if (!isRecord(one) || !Array.isArray(one['changes'])) continue
    process.stdout.write(`  it would fit on ${String(one['node'])} (tried): ${one['changes'].map(String).join(', and ')}\n`)
  }
  return placed === true ? 0 : 7
}

function isCause(value: unknown): value is { readonly code: string; readonly facts: Readonly<Record<string, string>> } {
  return isRecord(value) && typeof value['code'] === 'string' && isRecord(value['facts'])
}
