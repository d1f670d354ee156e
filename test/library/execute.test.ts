import t from 'tap';
import { A, activeOf, B, Bed, C, errorOf } from './bed.js';

const refused = () =>
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
const never = new Promise<never>(() => {});

t.test('the answer of the callback comes back', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A] });
  const answer = await balancer.execute((backend, { attempt, signal }) => {
    t.equal(signal.aborted, false);
    t.same(activeOf(balancer), { [A]: 1 });
    return [backend.address, attempt];
  });
  t.same(answer, [A, 1]);
  t.same(activeOf(balancer), { [A]: 0 });
});

t.test('a dial that failed goes on at once to backends that were not tried', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B, C] });
  const tried: string[] = [];
  const wrapped = () => new TypeError('fetch failed', { cause: new AggregateError([refused()]) });
  const answer = await balancer.execute((backend, { attempt }) => {
    tried.push(backend.name);
    if (attempt < 3) throw attempt === 1 ? refused() : wrapped();
    return attempt;
  });
  t.equal(answer, 3);
  t.same(tried.toSorted(), [A, B, C]);
});

t.test('an error of the callback comes back untouched when no try is left', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B] });
  const errors: Error[] = [];
  const thrown = await errorOf(() =>
    balancer.execute(() => {
      errors.push(refused());
      throw errors.at(-1);
    }),
  );
  t.equal(errors.length, 2, 'both were tried');
  t.equal(thrown, errors[1]);
  t.equal(await errorOf(() => balancer.execute(() => Promise.reject(7))), 7);
  t.same(activeOf(balancer), { [A]: 0, [B]: 0 });
});

t.test('what may have been sent is sent again only if `retryIf` says so', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  let calls = 0;
  const reset = async () => {
    if (++calls % 2 === 1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    return calls;
  };
  t.match(await errorOf(() => balancer.execute(reset, { retries: 5 })), { code: 'ECONNRESET' });
  calls = 0;
  const asked: unknown[] = [];
  const answer = balancer.execute(reset, {
    retryIf: (error, { backend, attempt }) => {
      asked.push([(error as Error).message, backend.name.slice(0, 7), attempt]);
      return true;
    },
  });
  await bed.pass(1_000);
  t.equal(await answer, 2);
  t.same(asked, [['reset', '10.0.0.', 1]]);
});

t.test('retries stay within the budget when everything fails', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B, C] });
  let calls = 0;
  const failing = async () => {
    calls++;
    throw new Error('no');
  };
  const requests = Array.from({ length: 100 }, () =>
    balancer.execute(failing, { retryIf: () => true }).catch(() => {}),
  );
  await bed.pass(5_000);
  await Promise.all(requests);
  t.ok(calls > 100 && calls <= 123, `${calls} calls for 100 requests`);
});

t.test('one deadline holds over all tries, and the hanging callback is let go', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  const signals: AbortSignal[] = [];
  const request = errorOf(() =>
    balancer.execute(
      (_, { signal }) => {
        signals.push(signal);
        return never;
      },
      { timeout: '1s' },
    ),
  );
  await bed.pass(1_000);
  t.match(await request, { name: 'TimeoutError' });
  t.equal(signals[0]?.aborted, true);
  t.same(activeOf(balancer), { [A]: 0, [B]: 0 });
});

t.test('a try that takes too long is for `retryIf` to judge', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  const request = balancer.execute((_, { attempt }) => (attempt === 1 ? never : 'second'), {
    tryTimeout: 200,
    retryIf: (error) => (error as { code?: string }).code === 'try-timeout',
  });
  await bed.pass(1_000);
  t.equal(await request, 'second');
});

t.test('the signal of the caller ends waiting, trying and pausing', async (t) => {
  const bed = new Bed();
  const queue = { size: 5, timeout: '1m' };
  const balancer = await bed.balancer(t, { backends: [A], maxConnections: 1, queue });
  const reason = new Error('enough');
  const aborted = async (callback: () => unknown) => {
    const controller = new AbortController();
    const request = errorOf(() => balancer.execute(callback, { signal: controller.signal }));
    await bed.pass(10);
    controller.abort(reason);
    t.equal(await request, reason);
  };
  await aborted(() => never);
  const held = balancer.pick();
  await aborted(() => 1);
  t.equal(balancer.snapshot().queued, 0);
  held.succeeded();
  const over = AbortSignal.abort(reason);
  t.equal(await errorOf(() => balancer.execute(() => 1, { signal: over })), reason);
  t.same(activeOf(balancer), { [A]: 0 });
});

t.test(
  'a request that waits in the queue is served in order, and no longer than `queueTimeout`',
  async (t) => {
    const bed = new Bed();
    const options = { backends: [A], maxConnections: 1, queueSize: 2, queueTimeout: 500 };
    const balancer = await bed.balancer(t, options);
    const held = balancer.pick();
    const served: number[] = [];
    const waiting = [1, 2].map((n) => balancer.execute(() => served.push(n)));
    t.match(await errorOf(() => balancer.execute(() => 3)), { code: 'queue-full' });
    t.match(await errorOf(() => balancer.pick()), { code: 'all-full' });
    held.succeeded();
    await Promise.all(waiting);
    t.same(served, [1, 2]);
    balancer.pick();
    const late = errorOf(() => balancer.execute(() => 4));
    await bed.pass(500);
    t.match(await late, { code: 'queue-timeout', reasons: { [A]: 'full' } });
  },
);

t.test('a request waits for the first verdict', async (t) => {
  const bed = new Bed();
  bed.down(A);
  const health = { interval: '1s', fastInterval: '100ms', fall: 100, jitter: 0 };
  const made = bed.balancer(t, { backends: [A], health, connectTimeout: '2s' });
  await bed.pass(2_000);
  const balancer = await made;
  t.match(await errorOf(() => balancer.pick()), { code: 'unproven' });
  const request = balancer.execute(({ name }) => name);
  bed.up(A);
  await bed.pass(1_000);
  t.equal(await request, A);
});

t.test(
  'a hedge begins where a request takes longer than most, and the loser is let go',
  async (t) => {
    const bed = new Bed();
    const balancer = await bed.balancer(t, { backends: [A, B] });
    const after = (delayMs: number) =>
      new Promise<void>((resolve) => void bed.time.after(delayMs, resolve));
    for (let n = 0; n < 20; n++) {
      const request = balancer.execute(() => after(10), { hedge: true });
      await bed.pass(10);
      await request;
    }
    const signals: AbortSignal[] = [];
    const calls: string[] = [];
    const slowThenQuick = balancer.execute(
      async ({ name }, { signal }) => {
        signals.push(signal);
        calls.push(name);
        await after(calls.length === 1 ? 5_000 : 3);
        return name;
      },
      { hedge: { percentile: 90 } },
    );
    await bed.pass(20);
    t.equal(await slowThenQuick, calls[1]);
    t.not(calls[0], calls[1]);
    t.same(
      signals.map(({ aborted }) => aborted),
      [true, false],
    );
    t.same(activeOf(balancer), { [A]: 0, [B]: 0 });
  },
);

t.test('both of a hedged round fail: what may have been sent is for `retryIf`', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B, C] });
  const after = (delayMs: number) =>
    new Promise<void>((resolve) => void bed.time.after(delayMs, resolve));
  for (let n = 0; n < 20; n++) {
    const request = balancer.execute(() => after(10), { hedge: true });
    await bed.pass(10);
    await request;
  }
  const order = ['sent first', 'refused first'] as const;
  for (const which of order) {
    const calls: string[] = [];
    const asked: unknown[] = [];
    const request = errorOf(() =>
      balancer.execute(
        async ({ name }) => {
          calls.push(name);
          const isFirst = calls.length === 1;
          const isSent = isFirst === (which === 'sent first');
          await after(isFirst ? 100 : 200);
          throw isSent ? new Error('reset') : refused();
        },
        {
          hedge: true,
          retryIf: (error, { backend }) => {
            asked.push([(error as Error).message, backend.name]);
            return false;
          },
        },
      ),
    );
    await bed.pass(1_000);
    t.match(await request, { message: 'reset' }, which);
    t.equal(calls.length, 2, which);
    t.same(asked, [['reset', calls[which === 'sent first' ? 0 : 1]]], which);
  }
  t.same(activeOf(balancer), { [A]: 0, [B]: 0, [C]: 0 });
});

t.test('options that are no options are reported at once', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A] });
  const bad = (options: object) => errorOf(() => balancer.execute(() => 1, options));
  t.match(await bad({ timeout: '5 apples' }), { message: /^timeout: not a duration/ });
  t.match(await bad({ tryTimeout: -1 }), { message: /^tryTimeout: not a duration/ });
  t.match(await bad({ hedge: { percentile: 100 } }), { message: /^hedge\.percentile: out/ });
});
