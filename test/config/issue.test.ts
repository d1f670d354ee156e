/** How a problem reads. */
import t from 'tap';
import { formatIssue, formatWarning, type Issue } from '../../src/config/issue.js';

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

t.test('a warning says that it is one', async (t) => {
  t.equal(
    formatWarning(issue(3, 7, 'pools.pg', 'unused')),
    '/etc/sluice/sluice.toml:3:7: warning: pools.pg: unused (expected this; got that)',
  );
});
