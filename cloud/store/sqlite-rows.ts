/** The SQL of the store: prepared once, rows in and out. Knows no rules. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { StoredObject } from '../ports.ts'
import type { PresentRows } from './page.ts'
import type { ObjectKey } from './write.ts'

const COLUMNS = 'resource, namespace, name, uid, revision, json'
const AFTER = '(namespace, name) > (?, ?)'

export class SqliteRows implements PresentRows {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  find(resource: string, { namespace, name }: ObjectKey): StoredObject | null {
    const row = this.#prepare(`SELECT ${COLUMNS} FROM objects WHERE resource = ? AND namespace = ? AND name = ?`).get(resource, namespace, name)
    return row === undefined ? null : toObject(row)
  }

  put({ resource, namespace, name, uid, revision, json }: StoredObject): void {
    this.#prepare(
      `INSERT INTO objects (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (resource, namespace, name) DO UPDATE SET uid = excluded.uid, revision = excluded.revision, json = excluded.json`,
    ).run(resource, namespace, name, uid, revision, json)
  }

  remove({ resource, namespace, name }: StoredObject): void {
    this.#prepare('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?').run(resource, namespace, name)
  }

  rows(resource: string, namespace: string | null, after: ObjectKey | null, limit: number | null): readonly StoredObject[] {
    const { where, values } = condition(resource, namespace, after)
    const statement = this.#prepare(`SELECT namespace, name, uid, revision, json FROM objects WHERE ${where} ORDER BY namespace, name LIMIT ?`)
    // rows as arrays, one at a time: three times as fast as rows as objects for 100,000 rows
    statement.setReturnArrays(true)
    const found: StoredObject[] = []
    for (const row of statement.iterate(...values, limit ?? -1)) {
      const [inNamespace, name, uid, revision, json] = Object.values(row)
      found.push({ resource, namespace: String(inNamespace), name: String(name), uid: String(uid), revision: Number(revision), json: String(json) })
    }
    return found
  }

  count(resource: string, namespace: string | null, after: ObjectKey | null): number {
    const { where, values } = condition(resource, namespace, after)
    return Number(this.#prepare(`SELECT count(*) AS n FROM objects WHERE ${where}`).get(...values)?.['n'])
  }

  readRevision(): number {
    return Number(this.#prepare('SELECT revision FROM head').get()?.['revision'])
  }

  writeRevision(revision: number): void {
    this.#prepare('UPDATE head SET revision = ?').run(revision)
  }

  readFact(name: string): string | null {
    const row = this.#prepare('SELECT value FROM facts WHERE name = ?').get(name)
    return row === undefined ? null : String(row['value'])
  }

  writeFact(name: string, value: string): void {
    this.#prepare('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(name, value)
  }

  begin(): void {
    this.#prepare('BEGIN IMMEDIATE').run()
  }

  commit(): void {
    this.#prepare('COMMIT').run()
  }

  rollback(): void {
    if (this.#db.isTransaction) this.#prepare('ROLLBACK').run()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Eight forms at most, so the statement cache stays small. */
function condition(
  resource: string,
  namespace: string | null,
  after: ObjectKey | null,
): { readonly where: string; readonly values: readonly SQLInputValue[] } {
  const where = ['resource = ?', ...(namespace === null ? [] : ['namespace = ?']), ...(after === null ? [] : [AFTER])].join(' AND ')
  const values = [resource, ...(namespace === null ? [] : [namespace]), ...(after === null ? [] : [after.namespace, after.name])]
  return { where, values }
}

function toObject(row: Readonly<Record<string, SQLOutputValue>>): StoredObject {
  const { resource, namespace, name, uid, revision, json } = row
  return {
    resource: String(resource),
    namespace: String(namespace),
    name: String(name),
    uid: String(uid),
    revision: Number(revision),
    json: String(json),
  }
}
