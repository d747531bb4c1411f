import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wholeObject } from '../cases/strategic-merge/case.ts'
import { DIRECTIVE_CASES } from '../cases/strategic-merge/directives.ts'
import { LIST_CASES } from '../cases/strategic-merge/lists.ts'

const run = promisify(execFile)
let folder = ''
let kubectl = true

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skerry-smp-'))
  kubectl = await run('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The unit tests say what our strategic merge does; here the real kubectl says whether the cases are true. */
describe('strategic merge cases, by kubectl', () => {
  const cases = [...LIST_CASES, ...DIRECTIVE_CASES].filter((item) => item.kubectlDiffers === undefined)
  it.each(cases)('$kind: $name', async ({ name, kind, from, patch, to }) => {
    if (!kubectl) throw new Error('kubectl is missing: install kubernetes-client')
    const file = join(folder, `${kind}-${name.replaceAll(/[^a-z]/gi, '-')}.json`)
    await writeFile(file, JSON.stringify(wholeObject(kind, from)))
    const call = run('kubectl', ['patch', '--local', '-f', file, '--type=strategic', '-p', JSON.stringify(patch), '-o', 'json'])
    if (to === null) await expect(call).rejects.toThrow()
    else expect(JSON.parse((await call).stdout)).toEqual(wholeObject(kind, to))
  })
})
