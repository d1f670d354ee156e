/** The end of a balancer: nothing of it begins, serves, waits or holds anything afterwards. */
import t from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import { createBalancer } from '../../src/library/create.js';
import type { NoBackendError } from '../../src/library/errors.js';
import type { Registry } from '../../src/library/registry_source.js';
import { LOOPBACK, PeerServer } from '../support/peer.js';
import { A, activeOf, B, Bed, errorOf } from './bed.js';

const CLOSED = { name: 'NoBackendError', code: 'closed' };

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

t.test('a closed balancer serves no request', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B] });
  await balancer.close();
  const calls: Readonly<Record<string, () => unknown>> = {
    pick: () => balancer.pick(),
    execute: () => balancer.execute(() => t.fail('it ran')),
    connect: () => balancer.connect(),
    update: () => balancer.update({ retries: 1 }),
    drain: () => balancer.drain(A),
    metrics: () => balancer.metrics({ getSingleMetric: () => null, registerMetric: () => {} }),
  };
  for (const [name, call] of Object.entries(calls)) t.match(await errorOf(call), CLOSED, name);
  t.same(activeOf(balancer), { [A]: 0, [B]: 0 });
  balancer.ready(A);
  t.equal(balancer.explain().backends.length, 2);
  t.equal(balancer.close(), balancer.close());
});

t.test('what runs goes on to its end, and is not tried again', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  let tries = 0;
  const mine = new Error('mine');
  const slow = balancer.execute(
    () => new Promise((resolve) => bed.time.after(1_000, () => resolve(7))),
  );
  const failing = errorOf(() =>
    balancer.execute(
      () => {
        tries++;
        throw mine;
      },
      { retryIf: () => true },
    ),
  );
  await turns(20);
  await balancer.close();
  await bed.pass(2_000);
  t.equal(await slow, 7);
  t.equal(await failing, mine);
  t.equal(tries, 1);
});

t.test('whenever it closes, no source is followed afterwards and nothing is left', async (t) => {
  for (let when = 0; when < 40; when++) {
    const signals: AbortSignal[] = [];
    const registry: Registry = { subscribe: (_, { signal }) => void signals.push(signal) };
    const bed = new Bed();
    const balancer = await bed.balancer(t, { backends: [A] });
    const discovery = { registry, hold: 100 };
    const updated = balancer.update({ backends: [A, 'later:80'], discovery }).catch(codeOf);
    await turns(when);
    await balancer.close();
    t.equal(await updated, 'closed');
    t.ok(
      signals.every(({ aborted }) => aborted),
      `closed after ${when} turns`,
    );
    await bed.pass(5_000);
    t.equal(bed.time.pending, 0, `timers after ${when} turns`);
  }
});

t.test('a lease that is never settled holds up a drain for its time only', async (t) => {
  const bed = new Bed();
  const times = { drainTimeout: '10s', drainSpread: '5s' };
  const balancer = await bed.balancer(t, { backends: [A], ...times });
  const held = balancer.pick();
  let ended = 'no';
  const drained = balancer.drain(A).then(() => {
    ended = 'yes';
  });
  await bed.pass(14_000);
  t.equal(ended, 'no');
  await bed.pass(1_000);
  await drained;
  t.match(balancer.snapshot().backends, [{ active: 1, reason: 'drained' }]);
  await balancer.close();
  held.succeeded();
  t.match(await errorOf(() => balancer.drain('nobody')), CLOSED);
});

t.test('a dial under way ends when the balancer closes', async (t) => {
  const server = await PeerServer.listen(LOOPBACK);
  t.teardown(() => server.close());
  const backends = [formatAddress(server.endpoint)];
  const balancer = await createBalancer({ backends, health: { probe: 'none' } });
  const dial = errorOf(() => balancer.connect());
  // No turn of the event loop, so that the dial cannot be over.
  await turns(20);
  const isUnderWay = balancer.snapshot().backends[0]?.active === 1;
  await balancer.close();
  t.ok(isUnderWay);
  t.match(await dial, CLOSED);
  t.equal(balancer.snapshot().backends[0]?.active, 0);
  t.equal(balancer.snapshot().backends[0]?.state, 'up');
});

t.test('a listener of the application that throws holds up no drain', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B] });
  const mine = new Error('mine');
  balancer.on('backend-drained', () => {
    throw mine;
  });
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
  await balancer.drain(A);
  t.equal(await uncaught, mine);
});

function codeOf(error: NoBackendError): string {
  return error.code;
}
