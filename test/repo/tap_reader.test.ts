/** The test runner counts what a test file prints, and loses no failure. */
import t from 'tap';
import { type Ending, type FileReport, TapReader } from '../support/tap_reader.js';

const WELL: Ending = { code: 0, signal: null, complaints: [] };
const FAILED: Ending = { code: 1, signal: null, complaints: ['a warning'] };

function read(text: string, ending: Ending): FileReport {
  const reader = new TapReader();
  for (const line of text.split('\n')) reader.line(line);
  return reader.end('a', ending);
}

const MIXED = `TAP version 14
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
  source: |
    not ok 8 - is text too
  ...

# Subtest: partly
    ok 1 - inner # SKIP no IPv6
ok 4 - partly # time=1ms

1..4
# { total: 5, pass: 2, fail: 1, skip: 2 }`;

const names = (tests: FileReport['failed']) => tests.map((test) => test.name);

t.test(
  'tests at the top of a file are counted, and a failure keeps all that was said',
  async (t) => {
    const report = read(MIXED, FAILED);
    t.equal(report.passed, 2);
    t.same(names(report.failed), ['bad']);
    const printed = report.failed[0]?.lines.join('\n') ?? '';
    for (const part of ['should be equal', 'at: somewhere', 'is text too', 'a warning']) {
      t.match(printed, part);
    }
    t.notMatch(printed, '# Subtest: good');
  },
);

t.test('a skip counts wherever it stands, with its reason', async (t) => {
  t.same(
    read(MIXED, FAILED).skipped.map(({ name, reason }) => ({ name, reason })),
    [
      { name: 'one', reason: 'no database here' },
      { name: 'inner', reason: 'no IPv6' },
    ],
  );
});

t.test('a file skipped as a whole is one skip', async (t) => {
  const report = read('TAP version 14\n1..0 # needs root', WELL);
  t.match(report, { passed: 0, failed: [], skipped: [{ name: 'a', reason: 'needs root' }] });
});

t.test('a file that ends before its tests do is a failure', async (t) => {
  const crash = read('TAP version 14\n# Subtest: x', { ...FAILED, code: null, signal: 'SIGSEGV' });
  t.same(names(crash.failed), ['a']);
  t.match(crash.failed[0]?.lines.join('\n'), /# Subtest: x\na warning\n.*signal SIGSEGV/);
  t.same(names(read('', { ...WELL, code: 0 }).failed), ['a'], 'also with exit code 0');
});

t.test('a file without any test is a failure', async (t) => {
  t.same(names(read('TAP version 14\n1..0', WELL).failed), ['a']);
});

t.test('a file whose process fails is a failure, even if its tests passed', async (t) => {
  const report = read('ok 1 - good\n1..1', FAILED);
  t.equal(report.passed, 1);
  t.match(report.failed, [{ name: 'a', lines: ['a warning', /exit code 1/] }]);
  t.same(read('ok 1 - good\n1..1', WELL).failed, []);
});
