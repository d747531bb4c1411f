/** Which certificates this cloud shows: its own for the API, and for devices its own or the operator's. */
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import { LIMITS } from '../protocol/limits.ts'
import { serverCertificate } from './apiserver/certificate.ts'
import type { Config } from './config.ts'
import { apiUrl } from './join-document.ts'
import type { Clock, Log } from './ports.ts'
import { keepShown, readPairFiles } from './shown-certificate.ts'
import type { Pair } from './shown-certificate.ts'

export interface Certificates {
  /** of the authority that signs this cloud's own */
  readonly caPem: string
  readonly api: Pair
  readonly devices: Pair
  /** reads the operator's files now; null = there are none */
  readonly reload: (() => void) | null
  stop(): void
}

/** @param show later ones, while the cloud runs */
export async function openCertificates(
  config: Config,
  clock: Clock,
  log: Log,
  show: { api(pair: Pair): void; devices(pair: Pair): void },
): Promise<Certificates> {
  const { mqttsFiles: files } = config
  const names = certificateNames(config)
  const own = (): ReturnType<typeof serverCertificate> => serverCertificate(path.join(config.dataDir, 'certificates'), names, clock.nowMs())
  const { caPem } = await own()
  const api = await keepShown({ clock, log, what: 'API', everyMs: LIMITS.ownCertificateLookMs.value }, own, (pair) => {
    show.api(pair)
    if (files === null) show.devices(pair)
  })
  if (files === null) return { caPem, api: api.first, devices: api.first, reload: null, stop: () => api.stop() }
  const given = { clock, log, what: files.cert, everyMs: LIMITS.certificateFilesLookMs.value }
  const devices = await keepShown(
    given,
    () => readPairFiles(files),
    (pair) => show.devices(pair),
  )
  return {
    caPem,
    api: api.first,
    devices: devices.first,
    reload: () => void devices.look(),
    stop: () => {
      api.stop()
      devices.stop()
    },
  }
}

/** Every name and address that kubectl and devices may use: this machine's own, and what the operator adds. */
function certificateNames(config: Config): readonly string[] {
  const own = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((item) => !item.internal && !item.address.startsWith('fe80')).map((item) => item.address),
  )
  const anywhere = [config.https, ...(config.mqtts === null ? [] : [config.mqtts])].some(({ host }) => host === '0.0.0.0' || host === '::')
  const advertised = [apiUrl(config, config.https.port), config.advertisedBroker].map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''))
  return [
    ...new Set([
      '127.0.0.1',
      '::1',
      'localhost',
      'kubernetes.default',
      ...advertised,
      ...(anywhere ? own : [config.https.host]),
      ...config.certificateNames,
    ]),
  ]
}
