import { join } from 'node:path';
import t, { type Test } from 'tap';
import { within } from '../../support/deadline.js';
import { type Drawn, Terminal } from '../../support/terminal.js';

const CANNED = join(import.meta.dirname, 'canned.js');
const USUAL = { columns: 80, rows: 24 };

const start = (test: Test): Terminal => new Terminal(test, [process.execPath, CANNED], USUAL);

t.test('a terminal gets screens of its size, and other ones when it is resized', async (t) => {
  const terminal = start(t);
  const first = await terminal.shows(/file order/);
  t.equal(first.length, 24);
  t.same(
    first.filter((row) => row.length !== 80),
    [],
  );
  await terminal.resize({ columns: 132, rows: 40 });
  const wide = await terminal.shows(/PROBE WHY/);
  t.same([wide.length, wide[0]?.length], [40, 132]);
  await terminal.resize({ columns: 30, rows: 6 });
  // stty changes one after the other, and each is a change of size: both may be seen.
  const isSmall = (drawn: Drawn): boolean => drawn.length === 6 && drawn[0]?.length === 30;
  t.ok(isSmall(await terminal.screens.first('a small screen', isSmall)));
});

t.test('keys reach it: arrows, letters, capitals, and the answer to a question', async (t) => {
  const terminal = start(t);
  await terminal.shows(/^> web/);
  terminal.press('\u001b[B');
  await terminal.shows(/^> - app/);
  terminal.press('S');
  await terminal.shows(/by name/);
  terminal.press('/');
  await terminal.shows(/^filter: _/);
  terminal.press('q Q');
  await terminal.shows(/^filter: q Q_/);
  terminal.press('\u007f\u007f\u007f\r');
  await terminal.shows(/by name {2}s sort/);
  terminal.press('d');
  await terminal.shows(/^drain all 2 backends of app\?/);
  terminal.press('y');
  t.match((await terminal.shows(/^told /)).at(-1), 'told app/*: drain');
});

t.test('pasted text does not answer the question that it asks', async (t) => {
  const terminal = start(t);
  await terminal.shows(/^> web/);
  terminal.press('jdy');
  await terminal.shows(/^nothing was changed/);
  t.notMatch(terminal.text, 'told');
});

t.test('it leaves the terminal as it was', async (t) => {
  for (const leave of ['q', '\u0003']) {
    const terminal = start(t);
    await terminal.shows(/file order/);
    t.match(terminal.text, '\u001b[?1049h\u001b[?25l');
    terminal.press(leave);
    const { code } = await within('the end of it', terminal.child.exited);
    t.equal(code, 0);
    t.ok(terminal.text.trimEnd().endsWith('\u001b[?25h\u001b[?1049lleft, raw mode false'));
  }
});
