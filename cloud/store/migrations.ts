/** The store's schema, as steps that only go forward. `PRAGMA user_version` counts the steps a file has taken. */
import type { DatabaseSync } from 'node:sqlite'

/** Never edit a step that was released: add one. */
const MIGRATIONS: readonly string[] = [
  // json last: the index covers counting and finding, rows are only read for their text
  `CREATE TABLE objects (
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     uid TEXT NOT NULL,
     revision INTEGER NOT NULL,
     json TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX objects_key ON objects (resource, namespace, name);
   CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL) STRICT;
   INSERT INTO head (only, revision) VALUES (1, 0);
   CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
]

/** Brings a file to this program's schema, each step in its own transaction. Throws for a file of a newer program. */
export function migrate(db: DatabaseSync): { readonly from: number; readonly to: number } {
  const from = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (from > MIGRATIONS.length) {
    throw new Error(
      `the store has schema ${from}, this program knows ${MIGRATIONS.length}: it was written by a newer Skerry; start that version again`,
    )
  }
  MIGRATIONS.slice(from).forEach((sql, index) => {
    db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${from + index + 1}; COMMIT`)
  })
  return { from, to: MIGRATIONS.length }
}
