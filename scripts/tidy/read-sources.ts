/** Reads every source file once: text, syntax tree, imports. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync } from 'vite'

export interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export interface Import {
  readonly target: string
  /** repository path when it is ours, else null */
  readonly file: string | null
  readonly line: number
}

export interface Source {
  readonly file: string
  readonly text: string
  readonly program: AstNode
  readonly imports: readonly Import[]
}

export interface Finding {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

/** Sources that git tracks or would track, below the repository root. */
export function readSources(root: string): readonly Source[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.ts', '*.tsx'], { cwd: root, encoding: 'utf8' })
  return listed
    .split('\n')
    .filter((file) => file !== '' && existsSync(path.join(root, file)))
    .sort()
    .map((file) => parseSource(file, readFileSync(path.join(root, file), 'utf8')))
}

export function parseSource(file: string, text: string): Source {
  const parsed = parseSync(file, text)
  const program = parsed.program as unknown as AstNode
  const imports: Import[] = []
  walk(program, (node) => {
    const literal = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression', 'TSImportType'].includes(node.type)
      ? node['source']
      : undefined
    if (!isNode(literal) || typeof literal['value'] !== 'string') return
    const target = literal['value']
    const file_ = target.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), target)) : null
    imports.push({ target, file: file_, line: lineAt(text, node.start) })
  })
  return { file, text, program, imports }
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Depth first over every node; `visit` gets the parents, nearest last. */
export function walk(node: AstNode, visit: (node: AstNode, parents: readonly AstNode[]) => void, parents: readonly AstNode[] = []): void {
  visit(node, parents)
  const inside = [...parents, node]
  for (const value of Object.values(node)) {
    if (isNode(value)) walk(value, visit, inside)
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) walk(item, visit, inside)
  }
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line += 1
  return line
}
