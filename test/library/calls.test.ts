/** Options of pick, connect and execute: read before anything is reserved. */
import { once } from 'node:events';
import t from 'tap';
import { A, activeOf, Bed, errorOf } from './bed.js';

const MISFITS: Readonly<Record<string, readonly unknown[]>> = {
  key: [7, true, {}, [], Symbol('s'), 1n, () => 'x'],
  signal: [7, 'x', {}, new AbortController()],
  retries: [-1, 1.5, Number.NaN, 101, '2', {}],
  retryIf: [true, 'always', {}],
  timeout: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 'soon', '5', {}, Symbol('s')],
  tryTimeout: [0, '0s', 'x', [], Object.create(null)],
  hedge: ['yes', 7, { percentile: 0 }, { percentile: 100 }, { percentile: '95' }],
  retry: [2],
};
const KEYS = {
  pick: ['key'],
  connect: ['key', 'signal', 'retries'],
  execute: Object.keys(MISFITS),
};

t.test('what is not usable is an OptionsError, and no failure of a backend', async (t) => {
  const bed = new Bed();
  const outlier = { consecutiveFailures: 1 };
  const balancer = await bed.balancer(t, { backends: [A], outlier });
  const calls = {
    pick: (options: never) => balancer.pick(options),
    connect: (options: never) => balancer.connect(options),
    execute: (options: never) => balancer.execute(() => t.fail('it ran'), options),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const options of [7, 'x', true, () => 1, Symbol('s')]) {
      t.match(await errorOf(() => call(options as never)), { code: 'bad-options' }, name);
    }
    for (const [key, misfits] of Object.entries(MISFITS)) {
      const isKnown = KEYS[name as keyof typeof KEYS].includes(key) && key !== 'retry';
      for (const misfit of misfits) {
        const error = await errorOf(() => call({ [key]: misfit } as never));
        t.match(error, { code: 'bad-options' }, `${name} ${key}`);
        const said = isKnown ? `^${key}\\S*: .* \\(expected .*; got ` : `^${key}: unknown option`;
        t.match(error['message'], new RegExp(said));
      }
    }
  }
  for (const callback of [undefined, null, 'x', {}]) {
    t.match(await errorOf(() => balancer.execute(callback as never)), { code: 'bad-options' });
  }
  t.match(await errorOf(() => balancer.explain({ key: 7 } as never)), { code: 'bad-options' });
  t.match(balancer.snapshot().backends, [{ state: 'up', active: 0 }]);
});

t.test('null says as much as nothing', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A], policy: 'source-hash' });
  balancer.pick(null as never).succeeded();
  for (const [key] of Object.entries(MISFITS).filter(([key]) => key !== 'retry')) {
    t.equal(await balancer.execute(() => key, { [key]: null } as never), key);
  }
  balancer.pick({ key: null } as never).succeeded();
  t.same(activeOf(balancer), { [A]: 0 });
});

t.test('`retryIf` that never answers is ended by the deadline', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, '10.0.0.2:80'] });
  const fails = (): never => {
    throw new Error('mine');
  };
  const options = { retryIf: () => new Promise<boolean>(() => {}), timeout: '1s' };
  const asked = errorOf(() => balancer.execute(fails, options));
  await bed.pass(2_000);
  t.match(await asked, { name: 'TimeoutError' });
  t.same(Object.values(activeOf(balancer)), [0, 0]);
});

t.test('an error that cannot be looked at comes back, and frees its place', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A] });
  const broken = new Proxy(new Error('mine'), {
    get() {
      throw new Error('this is never read');
    },
  });
  let found: 'it' | 'another' = 'another';
  await balancer
    .execute(() => Promise.reject(broken))
    .catch((error: unknown) => {
      if (error === broken) found = 'it';
    });
  t.equal(found, 'it');
  t.same(activeOf(balancer), { [A]: 0 });
});

t.test('`retryIf` that fails says no: the error that it was asked about comes back', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, '10.0.0.2:80'] });
  const warned = once(process, 'warning');
  let tries = 0;
  const fails = (): never => {
    tries++;
    throw new Error('mine');
  };
  const retryIf = (): never => {
    throw new TypeError('of retryIf');
  };
  t.match(await errorOf(() => balancer.execute(fails, { retryIf })), { message: 'mine' });
  t.match(await warned, [{ message: 'of retryIf' }], 'and is not lost');
  t.equal(tries, 1);
  t.same(Object.values(activeOf(balancer)), [0, 0]);
});

t.test('`retryIf` may take its time', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, '10.0.0.2:80'] });
  let tries = 0;
  const answer = balancer.execute(
    () => {
      if (++tries === 1) throw new Error('mine');
      return tries;
    },
    { retryIf: async () => true },
  );
  await bed.pass(1_000);
  t.equal(await answer, 2);
});
