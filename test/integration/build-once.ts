/** The built programs, made once for all suites of a run and again when a source is newer. */
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { AGENT_BUNDLE, ROOT } from '../../scripts/build-agent.ts'
import { CLOUD_BUNDLE, CONSOLE_ASSETS, buildAll } from '../../scripts/build.ts'

export async function buildOnce(): Promise<void> {
  const outputs = [AGENT_BUNDLE, CLOUD_BUNDLE, path.join(CONSOLE_ASSETS, 'index.html')]
  if (outputs.every((file) => existsSync(file))) {
    const built = Math.min(...outputs.map((file) => statSync(file).mtimeMs))
    const sources = execFileSync(
      'git',
      ['ls-files', '-co', '--exclude-standard', 'protocol', 'device-profiles', 'cloud', 'edge-agent', 'scripts/build*.ts', 'package-lock.json'],
      { cwd: ROOT, encoding: 'utf8' },
    )
    const newest = Math.max(
      ...sources
        .split('\n')
        .filter((file) => file !== '' && existsSync(path.join(ROOT, file)))
        .map((file) => statSync(path.join(ROOT, file)).mtimeMs),
    )
    if (newest < built) return
  }
  await buildAll()
}

/** Before the first suite: two that run at once must not both build. */
export { buildOnce as setup }
