/** `npm run lab:vrrp`: every scenario, also the long ones that `npm test` leaves to it. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/lab/vrrp*.test.ts', 'test/lab/*.long.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    maxWorkers: 1,
  },
});
