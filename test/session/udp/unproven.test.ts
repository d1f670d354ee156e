/** Before any backend has had a verdict: datagrams wait, bounded in number and time. */
import t from 'tap';
import { HELD_DATAGRAMS } from '../../../src/session/udp_port.js';
import { backendId, bed, client, NOTHING, target } from './bed.js';

const a = client(1);

t.test('the first datagrams wait for the first verdict, in order', async (t) => {
  const test = await bed({ health: 'unproven' });
  test.send(a, '1');
  test.send(a, '2');
  test.flows.rung();
  t.same(test.engine.upstream, []);
  test.ledger.setHealth(backendId(1), 'up');
  test.flows.rung();
  t.same(test.engine.upstream, [
    { to: target(1), text: '1' },
    { to: target(1), text: '2' },
  ]);
  test.send(a, '3');
  t.equal(test.engine.upstream.length, 3);
  await test.pass(6000, 100);
  t.equal(test.flows.count, 1, 'the time to wait is not over for flows that have a backend');
});

t.test('waiting ends after connect_timeout, and what was held is counted', async (t) => {
  const test = await bed({ health: 'unproven' });
  test.send(a, '1');
  test.send(a, '2');
  await test.pass(4990);
  t.equal(test.flows.count, 1);
  await test.pass(20);
  t.same(test.remains(), NOTHING);
  t.equal(test.drops('all-down'), 2);
  t.match(test.records, [{ backend: null, end: { stage: 'select', cause: 'all-down' } }]);
});

t.test('waiting ends when the verdict is that all are down', async (t) => {
  const test = await bed({ health: 'unproven' });
  test.send(a, '1');
  test.ledger.setHealth(backendId(0), 'down');
  test.ledger.setHealth(backendId(1), 'down');
  test.flows.rung();
  t.same(test.remains(), NOTHING);
  t.equal(test.drops('all-down'), 1);
});

t.test('what waits is bounded', async (t) => {
  const test = await bed({ health: 'unproven', backends: 1 });
  for (let index = 0; index < HELD_DATAGRAMS + 3; index++) test.send(a, `${index}`);
  t.equal(test.drops('send-queue-full'), 3);
  test.ledger.setHealth(backendId(0), 'up');
  test.flows.rung();
  t.equal(test.engine.upstream.length, HELD_DATAGRAMS);
});

t.test('waiting flows count at the cap', async (t) => {
  const test = await bed({ health: 'unproven', listener: { maxSessions: 1 } });
  test.send(a, 'x');
  test.send(client(2), 'x');
  t.equal(test.drops('flow-limit'), 1);
});

t.test('a flow that must move while the others are unproven waits without loss', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  const first = test.lastTarget === target(0) ? 0 : 1;
  test.ledger.setHealth(backendId(first), 'down');
  test.ledger.setHealth(backendId(1 - first), 'unproven');
  test.send(a, 'y');
  test.send(a, 'z');
  t.equal(test.engine.upstream.length, 1);
  test.ledger.setHealth(backendId(1 - first), 'up');
  test.flows.rung();
  t.same(
    test.engine.upstream.slice(1).map(({ text }) => text),
    ['y', 'z'],
  );
});

t.test('a waiting flow whose backend cannot be opened ends', async (t) => {
  const test = await bed({ health: 'unproven', backends: 1 });
  test.send(a, 'x');
  test.engine.failing.set(target(0), 'no-descriptor');
  test.ledger.setHealth(backendId(0), 'up');
  test.flows.rung();
  t.same(test.remains(), NOTHING);
});

t.test('a stop ends flows that wait', async (t) => {
  const test = await bed({ health: 'unproven' });
  test.send(a, 'x');
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.same(test.remains(), NOTHING);
  test.flows.rung();
  t.same(test.engine.upstream, []);
});
