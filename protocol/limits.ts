/**
 * Every cap in one table, each with its reason. Nothing else in the code base invents a limit: `scripts/tidy` knows this
 * file, the README's table is printed from it, and a message about a limit names the number found here.
 */
export interface Limit {
  readonly value: number
  readonly unit: 'bytes' | 'ms' | 'count'
  readonly why: string
}

const limit = (value: number, unit: Limit['unit'], why: string): Limit => ({ value, unit, why })

export const LIMITS = {
  desiredStateBytes: limit(128 * 1024, 'bytes', 'AWS IoT and many brokers refuse more; larger fleets of pods per device use parts later'),
  statusReportBytes: limit(128 * 1024, 'bytes', 'one retained snapshot per device must pass every broker'),
  inventoryBytes: limit(128 * 1024, 'bytes', 'a 256-thread server with 16 GPUs encodes to about 40 KiB'),
  smallMessageBytes: limit(4 * 1024, 'bytes', 'presence and hello carry identifiers only'),
  envelopeHeaderBytes: limit(1024, 'bytes', 'the header is read before anything is trusted'),
  documentDepth: limit(32, 'count', 'JSON.stringify overflows the stack on deep documents; Kubernetes objects stay below 20'),
  apiBodyBytes: limit(256 * 1024, 'bytes', 'an object must fit a device document with room for others'),
  apiYamlAliases: limit(0, 'count', 'aliases are how YAML bombs grow; kubectl sends none'),
  jsonPatchOperations: limit(1_000, 'count', 'each one walks the object; kubectl rollout undo sends two'),
  podsPerDevice: limit(110, 'count', 'the kubelet default; a gateway with more is a server'),
  containersPerPod: limit(16, 'count', 'more is never seen in public manifests'),
  envPerContainer: limit(256, 'count', 'execve has a 128 KiB argument block; keeps documents small'),
  labelsPerObject: limit(64, 'count', 'selectors stay cheap'),
  annotationBytes: limit(256 * 1024, 'bytes', 'the Kubernetes limit; kubectl apply stores the last object here'),
  deviceIdLength: limit(63, 'count', 'a device id is a DNS label: host name, topic level, certificate name'),
  messageText: limit(1024, 'count', 'free text from engines (errors) is cut before it is stored or sent'),
  ledgerEntries: limit(512, 'count', 'bounds the agent state file: pods times containers, with history'),
  stateFileBytes: limit(1024 * 1024, 'bytes', 'a full desired state, its ledger and room for escapes; anything larger is not our file'),
  refusalsKept: limit(16, 'count', 'a page of refused messages explains; more is noise'),
  logTailLines: limit(500, 'count', 'what the local page asks of one container'),
  agentLogRing: limit(400, 'count', 'about a screenful of history for the local page and the bundle'),
  engineCallMs: limit(15_000, 'ms', 'dockerd answers in milliseconds or is stuck; SIGSTOP never answers'),
  enginePullMs: limit(1_800_000, 'ms', 'a 500 MB image on a 3 Mbit/s link'),
  enginePullStallMs: limit(60_000, 'ms', 'no byte for this long means the connection is dead'),
  effectOverdueMs: limit(120_000, 'ms', 'adapters end by their own deadlines; one this much later is stuck and only a new process helps'),
  saveMs: limit(60_000, 'ms', 'an SD card that needs longer for a small file is broken, and people must be told'),
  tickMinMs: limit(10_000, 'ms', 'an idle device sleeps; nothing polls faster'),
  stopMs: limit(10_000, 'ms', 'a supervisor kills after 90 s; a stopping agent waits this long for the step at hand'),
  laneConcurrency: limit(6, 'count', 'the engine saturates at four on two cores; six hides image checks'),
  observeIdleMs: limit(30_000, 'ms', 'engine events wake the loop; this only catches a lost event'),
  reportMinIntervalMs: limit(1_000, 'ms', 'a crash loop must not flood the link'),
  reportRefreshMs: limit(900_000, 'ms', 'a retained snapshot lost by the broker comes back within this'),
  inventoryIntervalMs: limit(300_000, 'ms', 'hardware changes seldom; files are cheap to read'),
  containerPidsDefault: limit(4_096, 'count', 'a fork bomb in a pod without a PID limit must not take the device; programs use a few hundred'),
  statusMessageText: limit(160, 'count', 'texts of one container in a status report: 110 failing pods must fit the report'),
  statusPlanLines: limit(32, 'count', 'the first lines of the plan in a status report explain; the local page shows all'),
  ledgerSaveMinMs: limit(10_000, 'ms', 'crash loops must not wear the flash: their counts are written together'),
  storageRetryMaxMs: limit(30_000, 'ms', 'a full disk that was freed is used again within a minute'),
  restartBackoffFirstMs: limit(10_000, 'ms', 'kubelet: 10 s after the first immediate restart'),
  restartBackoffMaxMs: limit(300_000, 'ms', 'kubelet: five minutes'),
  restartBackoffResetMs: limit(600_000, 'ms', 'kubelet: ten healthy minutes forget the past'),
  retryFirstMs: limit(1_000, 'ms', 'engine and registry errors: try again soon once'),
  retryMaxMs: limit(300_000, 'ms', 'a registry that is down sees one try in five minutes per device'),
  reconnectFirstMs: limit(1_000, 'ms', 'first retry after a dropped link, with full jitter'),
  reconnectMaxMs: limit(300_000, 'ms', 'ten thousand devices must not storm a broker'),
  reconnectStableMs: limit(300_000, 'ms', 'a link that held this long starts over at the first delay'),
  mqttKeepaliveS: limit(45, 'count', 'seconds; proxies cut at 60'),
  mqttKeepaliveMaxS: limit(1_200, 'count', 'seconds; the broker refuses clients that would never time out'),
  mqttConnectMs: limit(15_000, 'ms', 'TCP, TLS and CONNACK on a bad mobile link take seconds; more is a dead peer'),
  mqttAckMs: limit(60_000, 'ms', 'a broker that answers pings but acknowledges nothing this long is not working'),
  mqttGoodbyeMs: limit(2_000, 'ms', 'a stopping agent says that it goes, but does not wait for a dead link'),
  mqttPreAuthBytes: limit(64 * 1024, 'bytes', 'an unauthenticated client may not buffer more in the broker'),
  mqttPacketBytes: limit(256 * 1024, 'bytes', 'the largest document plus its topic, doubled'),
  mqttTopicLevels: limit(8, 'count', 'ours have five; deep topics cost the broker memory and time'),
  mqttBrokerConnectMs: limit(10_000, 'ms', 'a connection that has not said who it is by then is closed'),
  mqttBrokerDrainMs: limit(10_000, 'ms', 'a client that takes nothing for this long is closed, so that it does not hold memory'),
  mqttBrokerConcurrency: limit(1_000, 'count', 'messages the embedded broker delivers at once; the library default of 100 starves a fan-out'),
  mqttPublishInFlight: limit(256, 'count', 'unacknowledged messages of the cloud: 256 whole documents are 33 MiB'),
  cloudReconnectMaxMs: limit(10_000, 'ms', 'one cloud does not storm a broker, and a fleet waits for it'),
  mqttConnectionsPerAddress: limit(20_000, 'count', 'one NAT may hide a fleet, but not an attack without end'),
  watchHistory: limit(20_000, 'count', 'changes kept for watchers that reconnect; older ones get 410 Gone and list again'),
  watchQueue: limit(10_000, 'count', 'a watcher that falls this far behind is closed and must list again'),
  watchBufferBytes: limit(8 * 1024 * 1024, 'bytes', 'unsent bytes of one API watch; a client that reads nothing must not fill the memory'),
  watchBookmarkMs: limit(60_000, 'ms', 'an idle watcher learns the revision this often, so that it can resume'),
  watchMaxMs: limit(3_600_000, 'ms', 'a watch nobody reads ends some day; clients watch again from where they were'),
  apiConnections: limit(2_000, 'count', 'kubectl, consoles and watchers together; more is a leak or an attack'),
  apiKeepAliveMs: limit(90_000, 'ms', 'longer than the 60 s of common proxies, so that they close first'),
  listPage: limit(500, 'count', 'what kubectl asks for; a page stays below a few MiB'),
  workQueueKeys: limit(200_000, 'count', 'keys, not payloads: more means more objects than this cloud holds'),
  eventsKept: limit(10_000, 'count', 'oldest Event objects are dropped beyond this'),
  eventTtlMs: limit(3_600_000, 'ms', 'Kubernetes keeps events one hour'),
  sseClients: limit(64, 'count', 'one console tab each'),
  localPageConnections: limit(32, 'count', 'a few phones and laptops; more is a scan'),
  localPageEventClients: limit(8, 'count', 'open pages that are told of changes; others read every 10 s'),
  localPageEventMs: limit(1_000, 'ms', 'a person reads no faster, and a crash loop must not load the device'),
  nodeSilentMs: limit(120_000, 'ms', 'a device not heard for this long is shown as NotReady; its pods stay'),
  nodeQuietMs: limit(1_200_000, 'ms', 'a connected device refreshes its report every 15 min +-20 %; later than this it is silent even if the broker shows it'),
  defaultPidsPerPod: limit(1_024, 'count', 'PID limit of a container that names none: a fork bomb ends there, ordinary programs stay far below'),
  workRetryFirstMs: limit(100, 'ms', 'a controller that met a conflict or a busy store tries again soon'),
  workRetryMaxMs: limit(60_000, 'ms', 'a controller that keeps failing does not load the store'),
  eventSweepMs: limit(60_000, 'ms', 'old Event objects are looked for once a minute, and only while there are any'),
  eventsPending: limit(1_000, 'count', 'events not yet written; a storm loses events, never work'),
  publishQuietMs: limit(3, 'ms', 'pods of one apply share a document'),
  publishHoldMs: limit(50, 'ms', 'how long a document waits for a scheduler that is still binding'),
  republishPerSecond: limit(500, 'count', 'after a broker reconnect all documents are sent again at this rate'),
  identityConflictMs: limit(600_000, 'ms', 'two sessions that replace each other within this are two agents'),
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS

/** Cuts free text (engine errors, log lines) to the table's length and says that it did. */
export function clip(text: string, max: number = LIMITS.messageText.value): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}
