/** CronJob: makes Jobs by a schedule in a time zone. */
import { openZone } from '../../protocol/calendar.ts'
import { parseCron } from '../../protocol/cron.ts'
import { bool, int, list, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { deviceScheduleIssues } from './device-schedule.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { ageOf } from './human-duration.ts'
import { JOB_SPEC, jobSpecIssues } from './job.ts'
import { OBJECT_META } from './object.ts'
import { defaultPodTemplate } from './pod-template.ts'
import { TEMPLATE_COLUMNS, templateCells } from './workload-printer.ts'

const INT32_MAX = 2_147_483_647
/** the names of its Jobs end in "-" and the minute of the run */
const NAME_MAX = 52

export const CRON_JOB_SHAPE = obj({
  apiVersion: required(oneOf('batch/v1')),
  kind: required(oneOf('CronJob')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      schedule: required(str({ min: 1, max: 1024 })),
      /** IANA name; UTC when it is left out */
      timeZone: str({ max: 255 }),
      startingDeadlineSeconds: int(0, INT32_MAX),
      concurrencyPolicy: oneOf('Allow', 'Forbid', 'Replace'),
      suspend: bool(),
      jobTemplate: required(obj({ metadata: OBJECT_META, spec: required(JOB_SPEC) })),
      successfulJobsHistoryLimit: int(0, INT32_MAX),
      failedJobsHistoryLimit: int(0, INT32_MAX),
    }),
  ),
  status: obj({
    active: list(
      obj({
        apiVersion: str(),
        kind: str(),
        name: str(),
        namespace: str(),
        uid: str(),
        resourceVersion: str(),
      }),
    ),
    lastScheduleTime: str({ max: 40 }),
    lastSuccessfulTime: str({ max: 40 }),
  }),
})
export type CronJob = Infer<typeof CRON_JOB_SHAPE>

export const CRON_JOBS = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: CRON_JOB_SHAPE,
  hasStatus: true,
  generationFields: ['spec'],
  defaults: (cron) => ({ ...cron, spec: defaultSpec(cron.spec), status: cron.status ?? {} }),
  rules: (cron) => [...scheduleIssues(cron), ...deviceScheduleIssues(cron), ...jobSpecIssues(cron.spec.jobTemplate.spec, 'spec.jobTemplate.spec')],
  columns: [
    NAME_COLUMN,
    column('Schedule', 'string', 'When Jobs are made, in cron format.'),
    column('Timezone', 'string', 'Time zone of the schedule.'),
    column('Suspend', 'string', 'Whether no Jobs are made for now.'),
    column('Active', 'integer', 'Jobs that run.'),
    column('Last Schedule', 'string', 'Time since a Job was last due and made.'),
    AGE_COLUMN,
    ...TEMPLATE_COLUMNS,
  ],
  cells: (cron, nowMs) => [
    nameCell(cron),
    cron.spec.schedule,
    cron.spec.timeZone ?? '<none>',
    cron.spec.suspend === true ? 'True' : 'False',
    cron.status?.active?.length ?? 0,
    cron.status?.lastScheduleTime === undefined ? '<none>' : ageOf(cron.status.lastScheduleTime, nowMs),
    ageCell(cron, nowMs),
    ...templateCells({ selector: {}, template: cron.spec.jobTemplate.spec.template }),
  ],
})

function defaultSpec(spec: CronJob['spec']): CronJob['spec'] {
  const { jobTemplate } = spec
  return {
    ...spec,
    concurrencyPolicy: spec.concurrencyPolicy ?? 'Allow',
    suspend: spec.suspend ?? false,
    successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
    failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1,
    jobTemplate: {
      ...jobTemplate,
      metadata: jobTemplate.metadata ?? {},
      spec: { ...jobTemplate.spec, template: defaultPodTemplate(jobTemplate.spec.template) },
    },
  }
}

function scheduleIssues({ metadata, spec }: CronJob): readonly Issue[] {
  const issues: Issue[] = []
  const parsed = parseCron(spec.schedule)
  if (!parsed.ok) issues.push({ path: 'spec.schedule', kind: 'invalid', message: parsed.why })
  if (spec.timeZone !== undefined && openZone(spec.timeZone) === null) {
    const message = `${JSON.stringify(spec.timeZone)} is not a time zone; use an IANA name such as "Europe/Berlin" or "UTC"`
    issues.push({ path: 'spec.timeZone', kind: 'invalid', message })
  }
  if ((metadata.name ?? '').length > NAME_MAX)
    issues.push({ path: 'metadata.name', kind: 'invalid', message: `must be at most ${NAME_MAX} characters: the names of its Jobs are longer` })
  return issues
}
