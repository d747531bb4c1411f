/** Could a change of a node change a scheduling decision? Heartbeats and addresses cannot. */
import { canonicalJson } from '../../../protocol/revision.ts'
import type { Node } from '../../resources/node.ts'
import { conditionOf } from '../meta.ts'

export function sameForScheduling(a: Node | null, b: Node | null): boolean {
  return digest(a) === digest(b)
}

function digest(node: Node | null): string {
  if (node === null) return ''
  const ready = conditionOf(node.status?.conditions, 'Ready')
  const { labels, annotations } = node.metadata
  return canonicalJson([labels, annotations, node.spec?.taints, node.spec?.unschedulable, node.status?.allocatable, ready?.status, ready?.message])
}
