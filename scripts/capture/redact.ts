/** Takes out of a captured file what names the machine, its owner or its network, and leaves what the inventory reads. */

const ZERO_ID = '0'.repeat(32)

/** whole files whose value says who, not what */
const REPLACED: Readonly<Record<string, string>> = {
  '/etc/machine-id': ZERO_ID,
  '/proc/sys/kernel/random/boot_id': '00000000-0000-0000-0000-000000000000',
  '/proc/sys/kernel/hostname': 'board',
}

export function withoutSecrets(file: string, text: string): string {
  const replaced = REPLACED[file]
  if (replaced !== undefined) return replaced
  // a kernel command line may hold passwords; only this word is read from it
  if (file === '/proc/cmdline') return /\bnuma=fake=\S+/.exec(text)?.[0] ?? ''
  if (file === '/proc/cpuinfo') return text.replaceAll(/^Serial\s*:.*$\n?/gm, '')
  if (file === '/proc/net/route') return text.split('\n').map(withoutGateway).join('\n')
  if (file === '/proc/self/mounts' || file === '/proc/mounts') return text.split('\n').filter(isLocalMount).join('\n')
  if (/^\/proc\/driver\/nvidia\/gpus\/.*\/information$/.test(file))
    return text.replaceAll(/GPU-[0-9a-f-]{36}/g, 'GPU-00000000-0000-0000-0000-000000000000')
  return text
}

/** `Iface Destination Gateway ...`: which interface leads out is read, to whom is not */
function withoutGateway(line: string, index: number): string {
  if (index === 0) return line
  const fields = line.split('\t')
  if (fields.length > 2) fields[2] = '00000000'
  return fields.join('\t')
}

/** a mounted share names a server, and its options may name a user */
function isLocalMount(line: string): boolean {
  const type = line.split(' ')[2] ?? ''
  return /^(cgroup2?|cpuset|ext[234]|xfs|btrfs|f2fs|zfs|vfat|overlay|ubifs|tmpfs)$/.test(type)
}
