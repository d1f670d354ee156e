/** The test runner counts what tap prints, and loses no failure. */
import t from 'tap';
import { type FileReport, TapReader } from '../support/tap_reader.js';

function read(text: string): FileReport[] {
  const reports: FileReport[] = [];
  const reader = new TapReader((report) => reports.push(report));
  for (const line of text.split('\n')) reader.line(line);
  return reports;
}

const MIXED = `TAP version 14
# Subtest: dist/test/a.test.js
    # Subtest: good
        ok 1 - should be equal
        1..1
    ok 1 - good # time=5.5ms

    ok 2 - one # SKIP no database here
    # Subtest: bad
        not ok 1 - should be equal
          ---
          source: |
            not ok 9 - is text, and no result
          ...

        1..1
    not ok 3 - bad # time=2ms
      ---
      at: somewhere
      ...

    # Subtest: partly
        ok 1 - inner # SKIP no IPv6
    ok 4 - partly # time=1ms
    1..4
not ok 1 - dist/test/a.test.js # time=58ms
  ---
  exitCode: 1
  ...

# Subtest: dist/test/b.test.js
    ok 1 - fine # time=1ms
ok 2 - dist/test/b.test.js # time=3ms`;

t.test('results are counted a file, and a failure keeps its diagnostics', async (t) => {
  const [a, b] = read(MIXED);
  t.match(a, { file: 'dist/test/a.test.js', passed: 2 });
  t.same(
    a?.failed.map((test) => test.name),
    ['bad'],
  );
  const printed = a?.failed[0]?.lines.join('\n') ?? '';
  t.match(printed, 'should be equal');
  t.match(printed, 'at: somewhere');
  t.notMatch(printed, '# Subtest: good');
  t.match(b, { file: 'dist/test/b.test.js', passed: 1, failed: [], skipped: [] });
});

t.test('a skip counts wherever it stands, with its reason', async (t) => {
  const [a] = read(MIXED);
  t.same(
    a?.skipped.map(({ name, reason }) => ({ name, reason })),
    [
      { name: 'one', reason: 'no database here' },
      { name: 'inner', reason: 'no IPv6' },
    ],
  );
});

t.test('a file that crashes before its first test is one failure', async (t) => {
  const [report] = read(`# Subtest: dist/test/c.test.js
    1..0 # no tests found
not ok 1 - dist/test/c.test.js # time=5ms
  ---
  signal: SIGSEGV
  ...
`);
  t.match(report, { passed: 0, failed: [{ name: 'dist/test/c.test.js' }] });
  t.match(report?.failed[0]?.lines.join('\n'), 'SIGSEGV');
});

t.test('a file skipped as a whole is one skip', async (t) => {
  const [report] = read('ok 2 - dist/test/b.test.js # SKIP needs root');
  t.match(report, { passed: 0, failed: [], skipped: [{ reason: 'needs root' }] });
});
