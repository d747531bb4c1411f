/** Annotations that say how workloads are updated on devices, and what is wrong with them. */
import type { Issue } from '../../protocol/shape.ts'

/** on a DaemonSet. InPlace: pods keep name and uid, and the device switches by itself; Recreate (default): new pods */
export const UPDATE_STRATEGY_ANNOTATION = 'skerry.dev/update-strategy'

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
}

/** Of a DaemonSet; `type` is that of its updateStrategy. */
export function strategyAnnotationIssues({ metadata }: Annotated, type: string | undefined): readonly Issue[] {
  const value = metadata.annotations?.[UPDATE_STRATEGY_ANNOTATION]
  if (value === undefined || value === 'Recreate') return []
  const issue = (message: string): readonly Issue[] => [{ path: annotationPath(UPDATE_STRATEGY_ANNOTATION), kind: 'invalid', message }]
  if (value !== 'InPlace') return issue(`${JSON.stringify(value)} is not supported; use one of "InPlace", "Recreate"`)
  return type === 'OnDelete' ? issue('"InPlace" needs spec.updateStrategy.type "RollingUpdate": with "OnDelete" no pod is ever updated') : []
}

export function annotationPath(key: string, at = 'metadata'): string {
  return `${at}.annotations[${JSON.stringify(key)}]`
}
