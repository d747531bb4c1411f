/** Makes the example's image on the spot from a static busybox when no registry answers. */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { engineRequest, engineUpload } from './engine-request.ts'
import { runQuietly } from './run-quietly.ts'

const APPLETS = [
  'sh',
  'httpd',
  'sleep',
  'cat',
  'echo',
  'ls',
  'wget',
  'hostname',
  'true',
  'false',
  'date',
  'ps',
  'kill',
  'mkdir',
  'env',
  'yes',
  'nc',
  'touch',
  'rm',
  'printf',
  'test',
  'id',
]

/** Ensures `image` is in the engine. @returns one sentence of what was done */
export async function ensureExampleImage(socket: string, image: string, tryRegistry = true): Promise<string> {
  const present = await engineRequest(socket, 'GET', `/images/${encodeURIComponent(image)}/json`)
  if (present.status === 200) return `image ${image} is on this machine`
  const [repository = image, tag = 'latest'] = image.split(':')
  if (tryRegistry) {
    const pulled = await engineRequest(
      socket,
      'POST',
      `/images/create?fromImage=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`,
      undefined,
      30_000,
    ).catch(() => null)
    if (pulled !== null && pulled.status === 200 && !pulled.body.includes('"error"')) return `pulled ${image}`
  }
  await importBusybox(socket, repository, tag)
  return `no registry answered, so ${image} was made here from busybox-static`
}

export async function importBusybox(socket: string, repository: string, tag: string): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), 'skerry-image-'))
  try {
    for (const dir of ['bin', 'tmp', 'etc', 'www', 'proc', 'sys', 'dev']) mkdirSync(path.join(root, dir))
    copyFileSync(await findBusybox(root), path.join(root, 'bin', 'busybox'))
    for (const applet of APPLETS) symlinkSync('busybox', path.join(root, 'bin', applet))
    writeFileSync(path.join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
    writeFileSync(path.join(root, 'www', 'index.html'), 'hello from Skerry\n')
    const tar = spawn('tar', ['-C', root, '--exclude=./unpack', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const answer = await engineUpload(
      socket,
      `/images/create?fromSrc=-&repo=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`,
      tar.stdout,
    )
    if (answer.status !== 200 || answer.body.includes('"error"')) throw new Error(`the engine refused the image: ${answer.body.slice(0, 300)}`)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** The static busybox of this machine, or Debian's package unpacked (installed when root). */
async function findBusybox(scratch: string): Promise<string> {
  const isStatic = async (file: string): Promise<boolean> =>
    existsSync(file) && !(await runQuietly('ldd', [file]).catch(() => 'not a dynamic executable')).includes('=>')
  for (const file of ['/bin/busybox', '/usr/bin/busybox']) if (await isStatic(file)) return file
  if (!existsSync('/usr/bin/apt-get'))
    throw new Error(
      'no registry answers and there is no static busybox here to make the example image from; install busybox-static or connect to a registry',
    )
  const unpack = path.join(scratch, 'unpack')
  mkdirSync(unpack)
  await runQuietly('sh', ['-c', 'cd "$1" && apt-get download -qq busybox-static && dpkg -x busybox-static_*.deb .', 'sh', unpack])
  const found = ['bin/busybox', 'usr/bin/busybox'].map((file) => path.join(unpack, file)).find((file) => existsSync(file))
  if (found === undefined) throw new Error('the package busybox-static has no busybox in it')
  return found
}
