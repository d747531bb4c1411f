/** Calls and constructs that are banned everywhere, or in the pure rooms. */
import { ruleFor } from '../import-rules.ts'
import { isNode, lineAt, walk } from './read-sources.ts'
import type { AstNode, Finding, Source } from './read-sources.ts'

const IMPURE_NAMES: Readonly<Record<string, string>> = {
  Date: 'time is an argument (Date.parse and new Date(text or number) for display are allowed)',
  performance: 'time is an argument',
  process: 'configuration is an argument',
  console: 'return what should be logged',
  setTimeout: 'return a wake-up time',
  setInterval: 'return a wake-up time',
  setImmediate: 'return an effect',
  queueMicrotask: 'return an effect',
  fetch: 'return an effect',
  Promise: 'pure rooms are synchronous',
}

export function checkBanned(source: Source): readonly Finding[] {
  const findings: Finding[] = []
  const rule = ruleFor(source.file)
  const pure = rule?.pure === true && !source.file.endsWith('ports.ts')
  const readsEnvironment = /(^|\/)(config|main)\.ts$/.test(source.file) || /^(scripts|test)\//.test(source.file) || source.file.endsWith('.config.ts')
  const add = (node: AstNode, name: string, message: string): void => {
    findings.push({ file: source.file, line: lineAt(source.text, node.start), rule: name, message })
  }
  walk(source.program, (node, parents) => {
    everywhere(source, node, add)
    if (!readsEnvironment && isMember(node, 'process', 'env')) add(node, 'environment', 'only config.ts reads process.env')
    if (pure) inPureRoom(node, parents, add)
  })
  if (/\bTODO\b(?!\(#\d+\))/.test(source.text) && !source.file.startsWith('scripts/tidy/')) {
    findings.push({ file: source.file, line: 1, rule: 'todo', message: 'a TODO names its issue: TODO(#12)' })
  }
  return findings
}

type Add = (node: AstNode, rule: string, message: string) => void

function everywhere(source: Source, node: AstNode, add: Add): void {
  switch (node.type) {
    case 'TSAnyKeyword':
      return add(node, 'any', 'no any: parse at the door, or use unknown')
    case 'TSNonNullExpression':
      return add(node, 'non-null', 'no !: handle the missing case or make it impossible')
    case 'TSEnumDeclaration':
      return add(node, 'enum', 'no enums: a union of strings is data')
    case 'ExportDefaultDeclaration':
      return source.file.endsWith('.config.ts') ? undefined : add(node, 'default-export', 'export by name')
    case 'ExportAllDeclaration':
      return add(node, 'barrel', 'no barrels: import from the file that answers')
    case 'NewExpression':
    case 'CallExpression':
      if (isIdentifier(node['callee'], 'eval') || isIdentifier(node['callee'], 'Function')) add(node, 'eval', 'no code from strings')
      return isShell(node, source) ? add(node, 'shell', 'argv arrays only: execFile or spawn without a shell') : undefined
    default:
      return
  }
}

function inPureRoom(node: AstNode, parents: readonly AstNode[], add: Add): void {
  if (node['async'] === true || node.type === 'AwaitExpression') return add(node, 'pure-async', 'pure rooms decide; async belongs to the shell')
  if (isMember(node, 'Math', 'random')) return add(node, 'pure-random', 'randomness is an argument')
  if (node.type !== 'Identifier' || typeof node['name'] !== 'string' || !Object.hasOwn(IMPURE_NAMES, node['name'])) return
  const parent = parents.at(-1)
  if (parent === undefined || isNameOnly(parent, node)) return
  if (node['name'] === 'Date' && isDisplayDate(parent, parents.at(-2))) return
  add(node, 'pure-call', `${node['name']} is not for a pure room: ${IMPURE_NAMES[node['name']] ?? ''}`)
}

/** a property name, a type name or a declaration: not a use of the global */
function isNameOnly(parent: AstNode, node: AstNode): boolean {
  if (parent.type === 'MemberExpression') return parent['property'] === node && parent['computed'] !== true
  if (parent.type === 'Property') return parent['key'] === node && parent['value'] !== node
  return parent.type.startsWith('TS') || parent.type === 'ImportSpecifier'
}

function isDisplayDate(parent: AstNode, grand: AstNode | undefined): boolean {
  if (parent.type === 'NewExpression') return Array.isArray(parent['arguments']) && parent['arguments'].length > 0
  const called = parent.type === 'MemberExpression' && isNode(parent['property']) ? parent['property']['name'] : ''
  return grand?.type === 'CallExpression' && (called === 'parse' || called === 'UTC')
}

function isIdentifier(value: unknown, name: string): boolean {
  return isNode(value) && value.type === 'Identifier' && value['name'] === name
}

function isMember(node: AstNode, object: string, property: string): boolean {
  return node.type === 'MemberExpression' && isIdentifier(node['object'], object) && isIdentifier(node['property'], property)
}

function isShell(node: AstNode, source: Source): boolean {
  if (!source.imports.some((item) => /^(node:)?child_process$/.test(item.target))) return false
  const callee = node['callee']
  if (isIdentifier(callee, 'execSync') || (isIdentifier(callee, 'exec') && Array.isArray(node['arguments']))) return true
  const args = Array.isArray(node['arguments']) ? node['arguments'] : []
  return args.some(
    (arg) =>
      isNode(arg) &&
      arg.type === 'ObjectExpression' &&
      Array.isArray(arg['properties']) &&
      arg['properties'].some(
        (item) => isNode(item) && isIdentifier(item['key'], 'shell') && isNode(item['value']) && item['value']['value'] === true,
      ),
  )
}
