import { describe, expect, it } from 'vitest';
import { playScenario, SCENARIOS } from './scenarios.js';

/** `npx vitest run src/sim/scenarios.test.ts --update` writes them anew; the diff is for the reviewer. */
describe('the golden transcripts', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      const transcript = playScenario(scenario);
      expect(transcript).not.toContain('VIOLATED');
      await expect(transcript).toMatchFileSnapshot(`./golden/${scenario.name}.txt`);
    });
  }
});
