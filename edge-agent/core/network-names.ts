/** Networks of the engine that are the agent's own, by name: two agents on one engine never share one. */

export function namespaceNetwork(device: string, namespace: string): string {
  return `skerry-${device}-${namespace}`
}

/** The host's end of it is the address of the Service; nothing is ever in it. */
export function serviceNetworkName(device: string, namespace: string, name: string): string {
  return `skerry-${device}-${namespace}-service-${name}`
}

/** Where the hosts file of a pod lies. */
export function hostsFile(folder: string, podUid: string): string {
  return `${folder}/${podUid}`
}
