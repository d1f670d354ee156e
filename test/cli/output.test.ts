import t from 'tap';
import { fitted } from '../../src/cli/ctl/output.js';

const ROWS = [
  ['ID', 'CLIENT', 'REASON'],
  ['0-i3wpx6w8ar', '198.51.100.255:38669', 'as many sessions as it may have'],
];

t.test('what other commands take stays whole on a narrow terminal', async (t) => {
  for (const most of [60, 40, 30]) {
    const [, row = ''] = fitted(ROWS, most);
    t.ok(row.startsWith('0-i3wpx6w8ar  '), row);
    t.match(row, '…');
  }
  for (const most of [60, 40]) {
    t.ok(fitted(ROWS, most).every((line) => line.length <= most));
  }
});

t.test('a name that has half of the line by itself is cut like all others', async (t) => {
  const long = ['b'.repeat(70), '127.0.0.1:5432', 'up'];
  const [line = ''] = fitted([long], 80);
  t.ok(line.length <= 80, line);
  t.match(line, '127.0.0.1:5432');
});
