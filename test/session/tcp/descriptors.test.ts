/** What the sessions of all listeners may have together: exact, shared, and given on. */
import t from 'tap';
import type { ListenerId } from '../../../src/core/brand.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { ListenerPlan } from '../../../src/core/plan.js';
import { type Bed, bed, client, KEY, NOTHING } from './bed.js';

const OTHER_KEY = 6432;
const OTHER = 1 as ListenerId;
const FINISHED = { kind: 'finished', first: 'client' } as const;

/** Two listeners of one pool in two workers. */
async function twoListeners(sessions: number): Promise<Bed> {
  const test = await bed({ workers: 2 });
  const local = ipEndpoint(4, '192.0.2.1', OTHER_KEY);
  const other: ListenerPlan = test.listener({
    id: OTHER,
    name: 'other',
    sockets: [
      {
        key: OTHER_KEY,
        source: { kind: 'bind', local, reusePort: 'exclusive' },
        socket: OTHER_KEY,
      },
    ],
  });
  await test.apply({ listeners: [...test.plan.listeners, other] });
  test.ledger.descriptors.allow(2 * sessions);
  return test;
}

t.test('listeners and workers have no more together than is allowed', async (t) => {
  const test = await twoListeners(3);
  test.relay(0);
  test.relay(1);
  test.worker(0).tcp.connect(OTHER_KEY, client(50));
  test.worker(1).tcp.connect(OTHER_KEY, client(51));
  test.turn();
  t.equal(test.ledger.listenerActive(OTHER), 1, 'the second one is held');
  t.equal(test.ledger.descriptors.used, 6);
  t.equal(test.worker(0).tcp.connect(OTHER_KEY, client(52)), null, 'it waits in the backlog');
});

t.test('what a session gives back goes to another listener in another worker', async (t) => {
  const test = await twoListeners(2);
  const first = test.relay(0);
  const second = test.relay(0);
  test.worker(1).tcp.connect(OTHER_KEY, client(50));
  test.worker(1).tcp.connect(OTHER_KEY, client(51));
  test.turn();
  t.equal(test.ledger.listenerActive(OTHER), 0);
  test.worker(0).tcp.ends(first, FINISHED);
  test.turn();
  t.equal(test.ledger.listenerActive(OTHER), 1, 'a client that was held is served');
  test.worker(0).tcp.ends(second, FINISHED);
  test.turn();
  t.equal(test.ledger.listenerActive(OTHER), 2, 'and one that waited in the backlog');
});

t.test('a listener that takes whatever is freed does not starve another one', async (t) => {
  const test = await twoListeners(1);
  const { tcp } = test.worker(0);
  let served = test.relay(0);
  for (let waits = 0; waits < 20; waits++) {
    tcp.connect(KEY, client(100 + waits));
    tcp.connect(OTHER_KEY, client(200 + waits));
  }
  const counts = new Map<number, number>();
  for (let round = 0; round < 20; round++) {
    tcp.ends(served, FINISHED);
    test.turn();
    const next = [...tcp.pairs.values()].find(({ state }) => state === 'dialling');
    if (next === undefined) throw new Error(`no client is served in round ${round}`);
    counts.set(next.key, (counts.get(next.key) ?? 0) + 1);
    tcp.dialSucceeds(next.id);
    served = next.id;
  }
  t.ok((counts.get(KEY) ?? 0) >= 5, `${counts.get(KEY)} of 20`);
  t.ok((counts.get(OTHER_KEY) ?? 0) >= 5, `${counts.get(OTHER_KEY)} of 20`);
});

t.test('a higher allowance lets clients in when the next plan comes', async (t) => {
  const test = await twoListeners(1);
  test.relay(0);
  test.worker(1).tcp.connect(OTHER_KEY, client(50));
  test.turn();
  test.ledger.descriptors.allow(4);
  await test.apply();
  t.equal(test.ledger.listenerActive(OTHER), 1);
});

t.test('everything is given back', async (t) => {
  const test = await twoListeners(2);
  const first = test.relay(0);
  const second = test.relay(1);
  test.worker(0).tcp.ends(first, FINISHED);
  test.worker(1).tcp.ends(second, FINISHED);
  test.turn();
  t.same(test.remains(), NOTHING);
  t.equal(test.ledger.descriptors.used, 0);
});
