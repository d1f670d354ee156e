/** How long a flow may be silent that has nothing to go on with: no backend, or no daemon soon. */
import t from 'tap';
import { ASKED_AGAIN_MS, AT_REST_MS } from '../../../src/session/udp/deadlines.js';
import { backendId, bed, client, NOTHING } from './bed.js';

const [a, b, c] = [client(1), client(2), client(3)];
const STEP_MS = 10;
const TOLD = { by: 'sluice', stage: 'drain', cause: 'drained' };

t.test('a flow whose backend is unreachable waits until its client would ask again', async (t) => {
  const test = await bed({ backends: 1 });
  test.send(a, 'question');
  test.send(a, 'again');
  test.engine.icmp(a);
  await test.pass(ASKED_AGAIN_MS - STEP_MS);
  t.equal(test.flows.count, 1);
  test.send(a, 'still here');
  await test.pass(ASKED_AGAIN_MS);
  t.equal(test.flows.count, 1, 'it has a backend again');
  test.engine.icmp(a);
  await test.pass(STEP_MS);
  t.same(test.remains(), NOTHING, 'no client has asked for that long');
  t.match(test.records, [{ end: { cause: 'backend-down' } }]);
});

t.test('so does a flow that finds no backend, and the next datagram begins another', async (t) => {
  const test = await bed({ backends: 1 });
  test.send(a, 'question');
  test.ledger.setHealth(backendId(0), 'down');
  for (const pauseMs of [ASKED_AGAIN_MS - STEP_MS, 2 * STEP_MS]) {
    test.send(a, 'lost');
    t.equal(test.flows.count, 1);
    await test.pass(pauseMs);
  }
  t.match(test.records, [{ end: { cause: 'backend-down' } }]);
  t.same(test.remains(), NOTHING);
  test.send(a, 'refused');
  t.equal(test.drops('all-down'), 3, 'each is counted');
  test.ledger.setHealth(backendId(0), 'up');
  test.send(a, 'hello');
  t.equal(test.engine.upstream.at(-1)?.text, 'hello');
});

t.test('a shorter idle_timeout counts', async (t) => {
  const test = await bed({ backends: 1, listener: { idleTimeoutMs: 1_000 } });
  test.send(a, 'question');
  test.ledger.setHealth(backendId(0), 'down');
  test.send(a, 'lost');
  await test.pass(1_000 + STEP_MS);
  t.same(test.remains(), NOTHING);
});

t.test(
  'a stop waits for flows that talk, and for replies, and not for those at rest',
  async (t) => {
    const test = await bed();
    for (const peer of [a, b, c]) test.send(peer, 'question');
    for (const peer of [a, b]) test.engine.reply(peer, 'answer');
    await test.pass(AT_REST_MS / 2);
    test.flows.finish();
    test.send(b, 'more');
    test.engine.reply(b, 'answer');
    await test.pass(AT_REST_MS / 2 + STEP_MS);
    t.match(test.records, [{ end: TOLD }], 'the one that has said nothing more');
    await test.pass(AT_REST_MS / 2);
    t.equal(test.flows.count, 1, 'a reply is due');
    await test.pass(ASKED_AGAIN_MS - 1.5 * AT_REST_MS);
    t.match(test.records, Array(3).fill({ end: TOLD }));
    t.same(test.remains(), NOTHING);
  },
);

t.test('before a stop a flow with a backend has its idle_timeout', async (t) => {
  const test = await bed();
  test.send(a, 'question');
  test.engine.reply(a, 'answer');
  await test.pass(59_000, 1_000);
  t.equal(test.flows.count, 1);
  test.flows.finish();
  await test.pass(STEP_MS);
  t.match(test.records, [{ end: TOLD }], 'it was at rest long enough');
});
