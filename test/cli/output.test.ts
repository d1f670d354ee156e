import t from 'tap';
import { fitted, hung, Output } from '../../src/cli/ctl/output.js';

const ROWS = [
  ['ID', 'CLIENT', 'REASON'],
  ['0-i3wpx6w8ar', '198.51.100.255:38669', 'as many sessions as it may have'],
];

t.test('what other commands take stays whole on a narrow terminal', async (t) => {
  const [, row = ''] = fitted(ROWS, 46);
  t.ok(row.startsWith('0-i3wpx6w8ar  '), row);
  t.match(row, '…');
  t.ok(fitted(ROWS, 46).every((line) => line.length <= 46));
});

t.test('the widest columns are cut alike, and none that fits', async (t) => {
  const rows = [
    ['NAME', 'AT', 'WHY', 'HOW'],
    ['a', 'b'.repeat(40), 'c'.repeat(20), 'd'],
  ];
  const half = (letter: string): string => `${letter.repeat(12)}…`;
  t.equal(fitted(rows, 40)[1], `a     ${half('b')}  ${half('c')}  d`);
});

t.test('where heads have no room each row is a block, of which nothing is cut', async (t) => {
  const rows = [...ROWS, ['0-i3wpx6w8as', '', '']];
  t.same(fitted(rows, 30), [
    'ID      0-i3wpx6w8ar',
    'CLIENT  198.51.100.255:38669',
    'REASON  as many sessions as it',
    '        may have',
    '',
    'ID      0-i3wpx6w8as',
  ]);
  t.same(fitted(ROWS, 200, 'blocks').length, 2, 'what fits is a table');
});

t.test('a last column goes on in the next line', async (t) => {
  t.same(fitted([['12:00:00', 'backend-down', '3 tcp probes in a row failed']], 44, 'wrap'), [
    '12:00:00  backend-down  3 tcp probes in a',
    '                        row failed',
  ]);
  t.same(fitted([['12:00:00', 'backend-down', '3 tcp probes in a row failed']], 32, 'wrap'), [
    '12:00:00  backend-down',
    '  3 tcp probes in a row failed',
  ]);
});

t.test(
  'whatever is wider than the terminal goes on in the next line, and in a pipe nothing',
  (t) => {
    t.same(hung('  one two three four five six seven eight', 30), [
      '  one two three four five',
      '    six seven eight',
    ]);
    t.same(hung('short', 30), ['short']);
    const event = `2026-11-30 16:08:40 backend-down reason="${'word '.repeat(60)}"`;
    for (const columns of [40, 80, undefined]) {
      const written: string[] = [];
      const sink = { write: (text: string) => written.push(text), ...(columns && { columns }) };
      const out = new Output(sink, sink, 'text');
      out.show([event], (lines, fit) => [
        ...lines,
        ...fit([
          ['HEAD', 'REASON'],
          ['a', event],
        ]),
      ]);
      out.item(event, (line) => line);
      const lines = written.join('').split('\n').slice(0, -1);
      t.ok(
        lines.every((line) => line.length <= (columns ?? 400)),
        `${columns}`,
      );
      if (columns === undefined) t.equal(lines.length, 4, 'a pipe takes lines of any length');
    }
    t.end();
  },
);

t.test('a name that has half of the line by itself is cut like all others', async (t) => {
  const rows = [
    ['BACKEND', 'ADDRESS', 'STATE'],
    ['b'.repeat(70), '127.0.0.1:5432', 'up'],
  ];
  const [, line = ''] = fitted(rows, 80);
  t.ok(line.length <= 80, line);
  t.match(line, '127.0.0.1:5432');
});

t.test('an expendable column goes before another one is cut; blocks have it', async (t) => {
  const rows = [
    ['BACKEND', 'ADDRESS', 'LAST PROBE', 'REASON'],
    ['pg/a', '127.0.0.1:5432', 'passed in 0.3 ms', 'as many sessions as it may have'],
  ];
  const at = (most: number) => fitted(rows, most, 'cut', 'LAST PROBE');
  t.match(at(74)[0], 'LAST PROBE');
  t.same(at(73), [
    'BACKEND  ADDRESS         REASON',
    'pg/a     127.0.0.1:5432  as many sessions as it may have',
  ]);
  t.match(at(50)[1], /^pg\/a {5}127\.0\.0\.1:5432 .*…$/, 'then the widest is cut');
  t.ok(at(20).includes('LAST PROBE  passed in 0.3 ms'));
});
