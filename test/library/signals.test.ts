/** The caller's signal: one of them often ends a thousand requests. */
import { getEventListeners } from 'node:events';
import t from 'tap';
import { onAbort } from '../../src/library/abort.js';
import { A, activeOf, B, Bed, errorOf } from './bed.js';

const never = new Promise<never>(() => {});

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

t.test('a signal of many requests has one listener, which ends all of them', async (t) => {
  const bed = new Bed();
  const queue = { size: 100, timeout: '1m' };
  const balancer = await bed.balancer(t, { backends: [A, B], maxConnections: 10, queue });
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error('enough');
  const ended: unknown[] = [];
  const run = (options: object): Promise<unknown> =>
    balancer.execute(() => never, { signal, ...options }).catch((error) => ended.push(error));
  // 20 run, all others wait for a place.
  const requests = [{}, { timeout: '5s' }, { tryTimeout: '5s' }, { hedge: true }].flatMap(
    (options) => Array.from({ length: 20 }, () => run(options)),
  );
  const dial = balancer.connect({ signal }).catch((error: unknown) => ended.push(error));
  await bed.pass(10);
  t.equal(balancer.snapshot().queued, 61);
  t.equal(listenersOf(signal), 1);
  controller.abort(reason);
  await Promise.all([...requests, dial]);
  t.same(new Set(ended), new Set([reason]));
  t.equal(ended.length, 81);
  t.equal(balancer.snapshot().queued, 0);
  t.same(activeOf(balancer), { [A]: 0, [B]: 0 });
});

t.test('a request that is over listens no longer, however it ended', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  const { signal } = new AbortController();
  const options = { signal, timeout: '5s', tryTimeout: '1s', hedge: true };
  let listening = 0;
  await balancer.execute(() => {
    listening = listenersOf(signal);
  }, options);
  t.equal(listening, 1);
  t.equal(listenersOf(signal), 0, 'it was answered');
  let asked = 0;
  const failing = errorOf(() =>
    balancer.execute(() => Promise.reject(new Error('mine')), {
      ...options,
      retryIf: async () => ++asked === 1,
    }),
  );
  await bed.pass(1_000);
  t.match(await failing, { message: 'mine' });
  t.equal(listenersOf(signal), 0, 'it failed twice');
  const late = errorOf(() => balancer.execute(() => never, { signal, timeout: '2s' }));
  await bed.pass(2_000);
  t.match(await late, { name: 'TimeoutError' });
  t.equal(listenersOf(signal), 0, 'its time was over');
});

t.test('a waiter that leaves during an abort is not called, a later one is', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const leave: (() => void)[] = [];
  leave.push(onAbort(signal, () => leave[1]?.()));
  leave.push(onAbort(signal, () => called.push('left')));
  const twice = (): void => void called.push('twice');
  const [once] = [onAbort(signal, twice), onAbort(signal, twice)];
  once();
  once();
  controller.abort();
  t.same(called, ['twice']);
  for (const one of leave) one();
  const another = new AbortController();
  onAbort(another.signal, twice)();
  t.equal(listenersOf(another.signal), 0);
  onAbort(another.signal, twice);
  another.abort();
  t.same(called, ['twice', 'twice']);
});
