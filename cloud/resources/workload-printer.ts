/** Columns and cells that Deployment, ReplicaSet and DaemonSet have in common (with `-o wide`). */
import { column } from './define.ts'
import { formatLabelSelector } from './label-selector.ts'
import type { Column, LabelSelector } from './object.ts'
import type { PodTemplate } from './pod-template.ts'

export const TEMPLATE_COLUMNS: readonly Column[] = [
  column('Containers', 'string', 'Names of the containers in the template.', { wide: true }),
  column('Images', 'string', 'Images of the containers in the template.', { wide: true }),
  column('Selector', 'string', 'Selector of the pods.', { wide: true }),
]

export function templateCells(spec: { readonly selector: LabelSelector; readonly template: PodTemplate }): readonly string[] {
  const containers = spec.template.spec.containers
  return [containers.map((c) => c.name).join(','), containers.map((c) => c.image).join(','), formatLabelSelector(spec.selector)]
}
