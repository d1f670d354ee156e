import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import {
  createHealth,
  type HealthService,
  type HealthServiceOptions,
} from '../../src/library/health_service.js';
import { FakeTime } from '../support/fake_time.js';
import { errorOf } from './bed.js';

async function bed(t: Test, options: HealthServiceOptions) {
  const time = new FakeTime();
  const made = createHealth(options, { clock: time, timers: time, waits: time });
  // What answers by itself does so before any time has passed.
  await time.pass(0);
  await time.pass(1_000);
  const health = await made;
  t.teardown(() => health.close());
  return { time, health };
}

async function served(t: Test, health: HealthService) {
  const server = createServer((request, response) => {
    if (!health.handle(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.json().catch(() => null)] as const;
  };
}

t.test('a critical check decides about readiness, an optional one does not', async (t) => {
  let database: 'up' | 'down' = 'up';
  const { health, time } = await bed(t, {
    checks: {
      database: () => database === 'up',
      cache: { run: () => Promise.reject(new Error('no cache')), kind: 'optional' },
    },
  });
  const get = await served(t, health);
  t.match(await get('/ready'), [200, { status: 'degraded', reasons: [] }]);
  database = 'down';
  t.match(await get('/ready'), [200, {}], 'nothing is checked because of a request');
  await time.pass(5_000);
  t.match(await get('/ready'), [503, { reasons: ['database: it answered false'] }]);
  t.match(await get('/health'), [503, { checks: [{ name: 'database' }, { detail: 'no cache' }] }]);
  t.match(await get('/healthz'), [200, { status: 'ok' }]);
  t.match(await get('/else'), [404]);
});

t.test('a check that hangs fails at its timeout, and its signal aborts', async (t) => {
  const signals: AbortSignal[] = [];
  const { health } = await bed(t, {
    checks: {
      slow: {
        run: ({ signal }) => {
          signals.push(signal);
          return new Promise(() => {});
        },
        timeout: 300,
      },
    },
  });
  t.match(health.report(), {
    status: 'not-ready',
    checks: [{ status: 'fail', detail: 'it took longer than 300 ms', tookMs: 300 }],
  });
  t.equal(signals[0]?.aborted, true);
});

t.test('the first run of a check ends in time though nothing else keeps the process', async (t) => {
  const [timers, waits] = [new FakeTime(), new FakeTime()];
  const checks = { db: { run: () => new Promise(() => {}), timeout: 300 } };
  const made = createHealth({ checks }, { clock: timers, timers, waits });
  await waits.pass(300);
  using health = await made;
  t.equal(health.report().status, 'not-ready');
  t.equal(waits.pending, 0, 'no later run keeps it');
  t.equal(timers.pending, 1);
});

t.test('checks run by their intervals, however many ask', async (t) => {
  let runs = 0;
  const { health, time } = await bed(t, { checks: { one: { run: () => runs++, interval: '1s' } } });
  const get = await served(t, health);
  const before = runs;
  await Promise.all(Array.from({ length: 20 }, () => get('/health')));
  t.equal(runs, before);
  await time.pass(3_000);
  t.equal(runs, before + 3);
});

t.test('a drain fails readiness first, then stops, and closes last', async (t) => {
  const { health, time } = await bed(t, { drainDelay: '5s', checks: { one: () => true } });
  const order: string[] = [];
  const drained = health.drain({
    stop: async () => void order.push('stop'),
    close: () => order.push('close'),
  });
  t.equal(health.report().status, 'draining');
  await time.pass(4_900);
  t.same(order, []);
  await time.pass(200);
  await drained;
  t.same(order, ['stop', 'close']);
  t.equal(time.pending, 0);
});

t.test('whatever `stop` does, `close` has its turn, and once', async (t) => {
  const failure = new Error('mine');
  const stops = { hangs: () => new Promise(() => {}), fails: () => Promise.reject(failure) };
  for (const [how, stop] of Object.entries(stops)) {
    const { health, time } = await bed(t, { drainDelay: '1s', stopTimeout: '10s' });
    let closed = 0;
    const drains = [1, 2].map(() => health.drain({ stop, close: () => closed++ }));
    const ends = Promise.allSettled(drains);
    await time.pass(0);
    await time.pass(11_000);
    t.match(
      await ends,
      Array(2).fill(how === 'fails' ? { reason: failure } : { value: undefined }),
    );
    t.equal(closed, 1, how);
    t.equal(time.pending, 0);
  }
});

t.test('options that are no options are reported at once', async (t) => {
  const strange = { checks: { one: { run: () => 1, kind: 'vital' as 'critical' } } };
  t.match(await errorOf(() => createHealth(strange)), { message: /^checks\.one\.kind: unknown/ });
  const bad = { checks: { one: { run: () => 1, interval: 'often' } } };
  t.match(await errorOf(() => createHealth(bad)), { message: /^checks\.one\.interval: not a dur/ });
});
