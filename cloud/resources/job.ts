/** Job: pods that run to their end, a given number of times. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { bool, check, int, list, obj, oneOf, refused, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { humanDuration } from './human-duration.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import { CONDITION, LABELS, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { podSpecIssues } from './pod-rules.ts'
import { POD_TEMPLATE, defaultPodTemplate } from './pod-template.ts'
import { TEMPLATE_COLUMNS, templateCells } from './workload-printer.ts'

const INT32_MAX = 2_147_483_647
export const JOB_UID_LABEL = 'batch.kubernetes.io/controller-uid'
const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name'

export const JOB_SPEC = obj({
  parallelism: int(0, LIMITS.podsPerJob.value),
  completions: int(0, LIMITS.podsPerJob.value),
  completionMode: oneOf('NonIndexed'),
  backoffLimit: int(0, LIMITS.podsPerJob.value),
  activeDeadlineSeconds: int(1, INT32_MAX),
  ttlSecondsAfterFinished: int(0, INT32_MAX),
  suspend: bool(),
  /** made by the cloud from the uid */
  selector: LABEL_SELECTOR,
  manualSelector: refused('is not supported: the selector of a Job is made from its uid; leave it out'),
  podFailurePolicy: refused('is not supported; use backoffLimit'),
  successPolicy: refused('is not supported; use completions'),
  template: required(POD_TEMPLATE),
})
export type JobSpec = Infer<typeof JOB_SPEC>

export const JOB_SHAPE = obj({
  apiVersion: required(oneOf('batch/v1')),
  kind: required(oneOf('Job')),
  metadata: required(OBJECT_META),
  spec: required(JOB_SPEC),
  status: obj({
    active: int(),
    ready: int(),
    terminating: int(),
    succeeded: int(),
    failed: int(),
    startTime: str({ max: 40 }),
    completionTime: str({ max: 40 }),
    /** uids of ended pods that are in `succeeded` or `failed` and still exist: no pod counts twice */
    countedPods: list(str({ max: 64 })),
    conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
  }),
})
export type Job = Infer<typeof JOB_SHAPE>

export const JOBS = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  shortNames: [],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: JOB_SHAPE,
  hasStatus: true,
  generationFields: ['spec'],
  defaults: (job) => ({ ...job, spec: withOwnLabels(job, defaultJobSpec(job.spec)), status: job.status ?? {} }),
  rules: (job, old) => [...jobSpecIssues(job.spec, 'spec'), ...(old === null ? [] : changeIssues(job.spec, old.spec))],
  columns: [
    NAME_COLUMN,
    column('Status', 'string', 'Whether the job runs, is complete, failed or is suspended.'),
    column('Completions', 'string', 'Pods that ended well, of those wanted.'),
    column('Duration', 'string', 'Time from the start to the last completion, or until now.'),
    AGE_COLUMN,
    ...TEMPLATE_COLUMNS,
  ],
  cells: (job, nowMs) => [
    nameCell(job),
    statusCell(job),
    completionsCell(job),
    durationCell(job, nowMs),
    ageCell(job, nowMs),
    ...templateCells({ selector: job.spec.selector ?? {}, template: job.spec.template }),
  ],
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
})

/** Kubernetes' defaults; also of the template of a CronJob. */
export function defaultJobSpec(spec: JobSpec): JobSpec {
  const once = spec.completions === undefined && spec.parallelism === undefined
  return {
    ...spec,
    ...(once ? { completions: 1 } : {}),
    parallelism: spec.parallelism ?? 1,
    completionMode: spec.completionMode ?? 'NonIndexed',
    backoffLimit: spec.backoffLimit ?? 6,
    suspend: spec.suspend ?? false,
    template: defaultPodTemplate(spec.template),
  }
}

/** Everything wrong with a job spec; `path` is where it stands. */
export function jobSpecIssues(spec: JobSpec, path: string): readonly Issue[] {
  const policy = spec.template.spec.restartPolicy
  const issues = podSpecIssues(spec.template.spec, `${path}.template.spec`)
  if (policy === 'Never' || policy === 'OnFailure') return issues
  const message = `must be "Never" or "OnFailure" for a Job, is ${JSON.stringify(policy ?? 'Always')}`
  return [...issues, { path: `${path}.template.spec.restartPolicy`, kind: 'unsupported', message }]
}

/** The pods of a Job are found by its uid, which nobody else can have. */
function withOwnLabels(job: Job, spec: JobSpec): JobSpec {
  const { uid, name } = job.metadata
  if (uid === undefined || name === undefined || !isLabelValue(uid)) return spec
  // a name may be longer than a label: then only the uid tells
  const short = isLabelValue(name) ? { [JOB_NAME_LABEL]: name, 'job-name': name } : {}
  const labels = { ...spec.template.metadata?.labels, [JOB_UID_LABEL]: uid, 'controller-uid': uid, ...short }
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } }
  return { ...spec, selector: { matchLabels: { [JOB_UID_LABEL]: uid } }, template }
}

function isLabelValue(value: string): boolean {
  return check(LABELS, { value }).length === 0
}

function changeIssues(spec: JobSpec, old: JobSpec): readonly Issue[] {
  const fixed = ['completions', 'completionMode', 'template'] as const
  return fixed
    .filter((field) => canonicalJson(spec[field] ?? null) !== canonicalJson(old[field] ?? null))
    .map((field) => ({ path: `spec.${field}`, kind: 'forbidden', message: 'is immutable; delete the Job and create it again to change it' }) as const)
}

function statusCell(job: Job): string {
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  const order = ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'] as const
  return order.find((type) => job.status?.conditions?.some((one) => one.type === type && one.status === 'True')) ?? 'Running'
}

function completionsCell({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${done}/${spec.completions}`
  const parallelism = spec.parallelism ?? 1
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return ''
  const end = status.completionTime === undefined ? nowMs : parseStamp(status.completionTime)
  return humanDuration(end - parseStamp(status.startTime))
}
