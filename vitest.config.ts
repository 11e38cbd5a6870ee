import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const sources = ['packages/*/src', 'examples/*/src', 'benchmarks/*/src', 'tests'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: sources.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ['**/*.process.test.ts', '**/node_modules/**', '**/dist/**'],
          // On two cores the default is one worker. None of these tests depends on speed.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          // Files of a worker share what they import: to load and warm it up anew took a third.
          isolate: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'process',
          include: sources.map((folder) => `${folder}/**/*.process.test.ts`),
          exclude: ['**/node_modules/**', '**/dist/**'],
          // Behind the others, one file at a time: they start servers and processes of their own.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          // Hooks run jobs, too: as long as tests may take, also on a machine that is busy.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: sources.map((folder) => `${folder}/**/*.test-d.ts`),
            tsconfig: './tsconfig.types.json',
          },
        },
      },
    ],
  },
});
