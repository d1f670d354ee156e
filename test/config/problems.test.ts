/** How many problems are shown, and in which order. */
import t from 'tap';
import type { Finding } from '../../src/config/checks/check.js';
import { formatIssue } from '../../src/config/issue.js';
import { indexPositions } from '../../src/config/positions.js';
import { issuesOf, MAX_SHOWN } from '../../src/config/problems.js';

const TEXT = Array.from({ length: 300 }, (_, line) => `k${line} = ${line}`).join('\n');
const read = { tree: {}, positions: indexPositions(TEXT), fileName: 'f' };
const finding = (key: string, problem = 'wrong', expected: Finding['expected'] = 'x'): Finding => ({
  code: 'malformed',
  path: [key],
  problem,
  expected,
});

t.test('problems come in the order of the file, whichever check found them first', async (t) => {
  const keys = ['k0', 'k5', 'k5', 'k10'];
  const findings = keys.map((key, index) => finding(key, `problem ${index}`));
  const lines = issuesOf(findings.toReversed(), read).map(({ line, problem }) => [line, problem]);
  t.strictSame(lines, [
    [1, 'problem 0'],
    [6, 'problem 1'],
    [6, 'problem 2'],
    [11, 'problem 3'],
  ]);
});

t.test(
  'those beyond the first hundred are counted, and nothing is worked out for them',
  async (t) => {
    let workedOut = 0;
    const findings = Array.from({ length: MAX_SHOWN + 7 }, (_, index) =>
      finding(`k${index}`, 'wrong', () => String(++workedOut)),
    );
    const issues = issuesOf(findings, read);
    t.equal(issues.length, MAX_SHOWN + 1);
    t.equal(workedOut, MAX_SHOWN);
    const last = issues.at(-1);
    t.equal(
      last === undefined ? '' : formatIssue(last),
      'f:101:1: k100: 7 more problems from here on (expected those above corrected first; got 107 in all)',
    );
    t.equal(issuesOf(findings.slice(7), read).length, MAX_SHOWN);
  },
);
