import t from 'tap';
import { CtlFailure } from '../../../src/cli/ctl/client.js';
import { Live } from '../../../src/cli/top/live.js';
import type { Row } from '../../../src/cli/top/rows.js';
import type { Look, Order, View } from '../../../src/cli/top/state.js';
import { FakeTime } from '../../support/fake_time.js';
import { look, session } from './looks.js';

/** A daemon that answers on demand. */
function bed() {
  const time = new FakeTime();
  const asked: { view: View; answer: (look: Look) => void; fail: (error: Error) => void }[] = [];
  const orders: { order: Order; answer: (said: string) => void }[] = [];
  const screens: (readonly Row[])[] = [];
  let quits = 0;
  let suspensions = 0;
  const live = new Live(
    {
      look: (view) => new Promise((answer, fail) => asked.push({ view, answer, fail })),
      give: (order) => new Promise((answer) => orders.push({ order, answer })),
      draw: (rows) => screens.push(rows),
      size: () => ({ columns: 80, rows: 24 }),
      quit: () => {
        quits++;
      },
      suspend: () => {
        suspensions++;
      },
      everyMs: 1_000,
      clock: time,
      timers: time,
    },
    look(),
  );
  live.start();
  return {
    live,
    time,
    asked,
    orders,
    screens,
    quits: () => quits,
    suspensions: () => suspensions,
    text: () => (screens.at(-1) ?? []).map(({ text }) => text).join('\n'),
  };
}

const drawn = () => new Promise((resolve) => setImmediate(resolve));

t.test('it looks at its pace, and never twice at the same time', async (t) => {
  const { time, asked, text } = bed();
  await time.pass(999);
  t.equal(asked.length, 0);
  await time.pass(1);
  t.equal(asked.length, 1);
  await time.pass(300_000);
  t.equal(asked.length, 1, 'the first is not answered yet');
  asked[0]?.answer(look({}, { sessions_active: 77 }));
  await drawn();
  await drawn();
  t.match(text(), 'sessions 77 now');
});

t.test('a daemon that answers slowly is asked less often', async (t) => {
  const { time, asked } = bed();
  await time.pass(1_000);
  await time.pass(500);
  asked[0]?.answer(look());
  await time.pass(0);
  await time.pass(4_999);
  t.equal(asked.length, 1, 'ten times as long as the answer took');
  await time.pass(1);
  t.equal(asked.length, 2);
});

t.test('what fails is shown, and the next look goes on', async (t) => {
  const { time, asked, text } = bed();
  await time.pass(1_000);
  asked[0]?.fail(new CtlFailure('the daemon does not answer'));
  await time.pass(0);
  await time.pass(1_000);
  await drawn();
  t.match(text(), '! the daemon does not answer');
  asked[1]?.answer(look());
  await time.pass(0);
  await drawn();
  t.notMatch(text(), 'the daemon does not answer');
});

t.test('sessions of another line than the one shown are not shown', async (t) => {
  const { live, time, asked, text } = bed();
  live.key('return');
  live.key('escape');
  live.key('down');
  live.key('return');
  t.equal(asked.length, 1);
  asked[0]?.answer(look({ sessions: [session()] }));
  await time.pass(0);
  await drawn();
  t.notMatch(text(), 'relaying');
  t.match(asked[1]?.view, { of: { kind: 'pool', name: 'app' } });
  asked[1]?.answer(look({ sessions: [session()] }));
  await time.pass(0);
  await drawn();
  t.match(text(), 'relaying');
});

t.test('a question that could not have been read has no answer', async (t) => {
  const { live, orders } = bed();
  await drawn();
  for (const key of ['down', 'd', 'y', 'd', 'y']) live.key(key);
  t.same(orders, []);
  live.key('d');
  await drawn();
  live.key('y');
  t.same(
    orders.map(({ order }) => order),
    [{ what: 'drain', backend: 'app/*' }],
  );
});

t.test('an order is reported, and looked at; leaving waits for its answer', async (t) => {
  const { live, time, asked, orders, text, quits } = bed();
  t.equal(await live.settled(), '');
  for (const key of ['down', 'd']) live.key(key);
  await drawn();
  live.key('y');
  orders[0]?.answer('app/a: drained');
  await time.pass(0);
  await drawn();
  t.match(text(), 'app/a: drained');
  t.equal(asked.length, 1);
  for (const key of ['r']) live.key(key);
  await drawn();
  live.key('y');
  live.key('q');
  t.equal(quits(), 1);
  const settled = live.settled();
  orders[1]?.answer('app/a: no longer drained');
  t.equal(await settled, 'app/a: no longer drained');
});
