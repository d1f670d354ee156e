/** Pictures on a terminal and in a pipe. */
import t from 'tap';
import type { HealthView } from '../../../src/admin/views.js';
import type { Moment } from '../../../src/cli/demo/picture.js';
import { DemoScreen } from '../../../src/cli/demo/screen.js';
import { NOTHING_YET } from '../../../src/cli/demo/tally.js';

const health = { listeners: [], pools: [] } as unknown as HealthView;
const moment: Moment = { elapsedMs: 1_000, health, tally: NOTHING_YET, earlier: NOTHING_YET };

t.test('a terminal has each picture drawn over the last one', async (t) => {
  let text = '';
  const screen = new DemoScreen({ isTTY: true, columns: 80, write: (more) => (text += more) });
  screen.show(moment);
  t.notMatch(text, '\x1b', 'the first one stands where the cursor is');
  const lines = text.split('\n').length - 1;
  text = '';
  screen.show(moment);
  t.ok(text.startsWith(`\x1b[${lines}A\x1b[J`), 'as many lines up as there are, and erased');
});

t.test('no line is wider than the terminal, which would wrap it', async (t) => {
  let text = '';
  const screen = new DemoScreen({ isTTY: true, columns: 10, write: (more) => (text += more) });
  screen.show(moment);
  t.same(
    text.split('\n').filter((line) => line.length > 10),
    [],
  );
});

t.test('a terminal that does not know its width gets whole lines', async (t) => {
  let text = '';
  new DemoScreen({ isTTY: true, columns: 0, write: (more) => (text += more) }).show(moment);
  t.match(text, '0 sessions, 0 failed');
});

t.test('a pipe gets one line a picture, without control characters', async (t) => {
  let text = '';
  const screen = new DemoScreen({ write: (more) => (text += more) });
  screen.show(moment);
  screen.show(moment);
  t.equal(text, '  1 s | 0 sessions, 0 failed\n'.repeat(2));
});
