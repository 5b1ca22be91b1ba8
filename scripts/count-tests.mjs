#!/usr/bin/env node
/**
 * Prints `N passed, N failed, N skipped` for the results file of a vitest run (its JSON reporter).
 *
 * Usage: node scripts/count-tests.mjs FILE
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 * @typedef {{ testResults: FileResult[] }} Results
 */

/**
 * A file that failed without a failed test in it (it did not even load) counts as one failure.
 * @param {Results} results
 */
export function countTests(results) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of results.testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    counts.passed += passed;
    counts.failed += status === 'failed' ? Math.max(failed, 1) : failed;
    counts.skipped += assertionResults.length - failed - passed;
  }
  return counts;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = readFileSync(process.argv[2] ?? '', 'utf8');
  if (text === '') console.log('The run ended before the tests: what failed is above, and counts as one failure.');
  const { passed, failed, skipped } = text === '' ? { passed: 0, failed: 1, skipped: 0 } : countTests(JSON.parse(text));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
