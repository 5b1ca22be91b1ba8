import { defineConfig } from 'vitest/config';

const realParts = ['test/e2e/**/*.test.ts', 'test/lab/**/*.test.ts'];
const results = process.env['TANIST_TEST_RESULTS'];

export default defineConfig({
  test: {
    reporters: [
      'default',
      './test/support/left-out-reporter.ts',
      ...(results === undefined ? [] : [['json', { outputFile: results }] satisfies [string, object]]),
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: realParts,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Two cores: a third worker only makes the real servers under test late.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          // Real processes on two busy cores: what fails by chance is tried once more, and shown as retried.
          retry: 1,
          include: realParts,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // These mostly wait for other people's timers: after the rest, whose work would make them late, and three at a time.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
