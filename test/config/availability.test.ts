/** What this version cannot do is refused with these words, never ignored. */
import t from 'tap';
import { NOT_IN_THIS_VERSION, type Unavailable } from '../../src/config/availability.js';
import { findUnavailable } from '../../src/config/checks/availability.js';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { formatPath } from '../../src/config/path.js';
import { describe, sections } from '../../src/config/schema/lookup.js';
import { ROOT } from '../../src/config/schema/root.js';

const ROWS: readonly Unavailable[] = [
  { key: ['listeners', '*', 'protocol'], refuses: ['udp'], instead: '"tcp"' },
  { key: ['pools', '*', 'slow_start'], allows: ['0s'], instead: '"0s"' },
  { key: ['pools', '*', 'outlier'], allows: [], instead: 'no such table' },
  { key: ['pools', '*', 'backends', '*', 'backup'], allows: [false], instead: 'false' },
];

const refused = (tree: unknown): readonly string[] =>
  findUnavailable(tree, ROWS).map(({ path, problem }) => `${formatPath(path)} ${problem}`);

t.test('a row refuses some values, or all but some, or a whole table', async (t) => {
  const tree = {
    listeners: { a: { protocol: 'udp' }, b: { protocol: 'tcp' } },
    pools: {
      p: { slow_start: '5s', outlier: {}, backends: [{ backup: false }, { backup: true }] },
      q: { slow_start: '0s' },
    },
  };
  t.strictSame(refused(tree), [
    'listeners.a.protocol not in this version',
    'pools.p.slow_start not in this version',
    'pools.p.outlier not in this version',
    'pools.p.backends[1].backup not in this version',
  ]);
  t.strictSame(refused({}), []);
});

t.test('a file that asks for it has a problem, and a default is no problem', async (t) => {
  const load = (text: string) => loadConfig(text, 'f', { refused: ROWS });
  const text = '[pools.p]\nslow_start = "5s"\n[pools.q]\nslow_start = "0s"\n[pools.r]\n';
  const loaded = load(text);
  t.strictSame(loaded.ok ? [] : loaded.error.map(formatIssue), [
    'f:2:1: pools.p.slow_start: not in this version (expected "0s"; got "5s")',
  ]);
  t.ok(load('[pools.r]').ok);
});

t.test('a value that is broken anyway is reported once', async (t) => {
  const loaded = loadConfig('[pools.p]\nslow_start = 5', 'f', { refused: ROWS });
  t.equal(loaded.ok ? 0 : loaded.error.length, 1);
});

t.test('each row names a key of the schema', async (t) => {
  t.ok(sections(ROOT).length > 5);
  for (const { key } of NOT_IN_THIS_VERSION) {
    const path = key.map((segment) => (segment === '*' ? 'any' : segment));
    t.equal(describe(ROOT, path).path.length, key.length, key.join('.'));
  }
});
