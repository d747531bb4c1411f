/** Amounts in placement sentences: short to read, and never more than there is. */
import { expect, test } from 'vitest'
import { amountText } from '../cloud/core/scheduler/filters/node-resources-fit.ts'

test.each([
  ['memory', 24405568 * 1024, '23.2Gi'],
  ['memory', 8 * 1024 ** 3, '8Gi'],
  ['memory', 8 * 1024 ** 3 - 1024, '7.9Gi'],
  ['memory', 1536 * 1024 ** 2, '1536Mi'],
  ['ephemeral-storage', 123456789012, '114.9Gi'],
  ['memory', 0, '0'],
  ['cpu', 1500, '1500m'],
  ['pids', 24405568, '24405568'],
])('%s %d reads %s', (name, amount, says) => {
  expect(amountText(name, amount)).toBe(says)
})
