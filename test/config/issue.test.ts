/** How a problem reads, and in which order problems come. */
import t from 'tap';
import { formatIssue, type Issue, sortIssues } from '../../src/config/issue.js';

const issue = (line: number, column: number, key: string, problem = 'wrong'): Issue => ({
  code: 'malformed',
  file: '/etc/sluice/sluice.toml',
  line,
  column,
  key,
  problem,
  expected: 'this',
  got: 'that',
});

t.test('a problem is one line that editors can follow', async (t) => {
  t.equal(
    formatIssue(issue(3, 7, 'pools.pg.retries', 'too small')),
    '/etc/sluice/sluice.toml:3:7: pools.pg.retries: too small (expected this; got that)',
  );
});

t.test('problems come in the order of the file, whoever found them first', async (t) => {
  const sorted = [
    issue(2, 9, 'z'),
    issue(10, 1, 'a'),
    issue(10, 2, 'a'),
    issue(10, 2, 'b', 'one'),
    issue(10, 2, 'b', 'two'),
  ];
  t.strictSame(sortIssues(sorted.toReversed()), sorted);
  t.strictSame(sortIssues(sorted), sorted);
});
