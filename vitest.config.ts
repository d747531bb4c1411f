import { defineConfig } from 'vitest/config'

/** Real suites that fill both cores, or look at how long something takes: nothing runs beside them. */
const ALONE = ['fleet', 'console-large'].map((name) => `test/integration/${name}.test.ts`)

/** A test waits for what it needs; this only ends what hangs, also on a machine that is many times slower than ours. */
const REAL = { testTimeout: 400_000, hookTimeout: 400_000, pool: 'forks', globalSetup: 'test/integration/build-once.ts' } as const

/**
 * `unit` needs nothing but Node and stays under 30 s; `real` and then `alone` use real engines, brokers and browsers. Three real suites run at
 * once, for each mostly waits: a suite's gateways have numbers of their own (`first` of its testbed).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/*.test.ts', 'test/property/**/*.test.ts', 'test/sim/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: 2,
          // the modules are loaded once a worker: a third of the time. What a test changes in a module it must put back
          isolate: false,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/integration/**/*.test.ts'],
          exclude: ALONE,
          ...REAL,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          ...REAL,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
