/**
 * Two groups of tests. Units, conformance, simulation and property tests touch nothing outside their process and run
 * side by side; interop, packaging and example tests make network namespaces, child processes and installs, and run afterwards,
 * one file at a time, so that neither group disturbs the other's timing.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const OUTSIDE = ['test/interop/**/*.test.ts', 'test/packaging/**/*.test.ts', 'test/examples/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // vitest would leave one core idle; on a small machine that is half of it.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      {
        extends: true,
        test: {
          name: 'inside',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: OUTSIDE,
          pool: 'threads',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'outside',
          include: OUTSIDE,
          pool: 'forks',
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
