/** Words of the page. */
export { bytes, duration } from '../../../protocol/spoken.ts'

/** Terminal colours and control characters mean nothing on a page. */
export function plainLog(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
}
