import t from 'tap';
import { assertShared } from '../../src/core/assert.js';
import { contain } from '../../src/core/contain.js';
import { seededRandom } from '../../src/core/random.js';
import { MAX_PROBES_IN_FLIGHT } from '../../src/health/checker.js';
import { seed } from '../support/seed.js';
import { OK, REFUSED, TIMED_OUT, target, World } from './fake_probes.js';

t.comment(`SEED=${seed}`);

const world = (): World => new World(seededRandom(seed));

t.test('one success proves an unproven backend within the first spread', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  t.equal(w.checker.snapshot()[0]?.verdict, 'unproven');
  await w.time.pass(55);
  t.same(w.told, ['b1 up: first-success']);
  const [health] = w.checker.snapshot();
  t.match(health, { verdict: 'up', reason: 'first-success', attempts: 1, transitions: 1 });
  t.equal(health?.last?.durationMs, w.latencyMs);
});

t.test('fall failures at the fast interval condemn, rise successes bring back', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(2_100);
  w.set(1, REFUSED);
  const before = w.attempts.length;
  await w.time.pass(2_000 + 2 * 500 + 10);
  t.equal(w.told.at(-1), 'b1 down: refused');
  const starts = w.starts(1).slice(before);
  t.equal((starts[2] ?? 0) - (starts[0] ?? 0), 1_000, 'two fast intervals from first to third');
  t.match(w.checker.snapshot()[0], {
    verdict: 'down',
    failures: 3,
    detail: '3 tcp probes in a row failed, the last: connection refused',
  });

  w.set(1, { ok: true, share: 1, note: 'role primary' });
  await w.time.pass(5_000 + 500 + 10);
  t.equal(w.told.at(-1), 'b1 up: recovered');
  t.match(w.checker.snapshot()[0], { detail: 'role primary', transitions: 3 });
});

t.test(
  'another role is no illness: a standby stands by, is down when it fails, and returns',
  async (t) => {
    const w = world();
    const elsewhere = { ok: false, failure: 'wrong-role', detail: 'is replica' } as const;
    w.checker.update([target(1)]);
    await w.time.pass(100);
    w.set(1, elsewhere);
    await w.time.pass(4_000);
    t.same(w.told, ['b1 up: first-success', 'b1 standby: wrong-role']);
    t.match(w.checker.snapshot()[0], { verdict: 'standby', detail: 'is replica' });
    w.set(1, REFUSED);
    await w.time.pass(5_500);
    w.set(1, elsewhere);
    await w.time.pass(11_000);
    t.equal(w.told.length, 2, 'one failure is not fall of them');
    w.set(1, REFUSED);
    await w.time.pass(16_500);
    t.equal(w.told.at(-1), 'b1 down: refused');
    w.set(1, elsewhere);
    await w.time.pass(5_500);
    t.equal(w.told.at(-1), 'b1 standby: wrong-role');
    w.set(1, OK);
    await w.time.pass(5_500 + 1_000);
    t.equal(w.told.at(-1), 'b1 up: recovered');
  },
);

t.test('an unproven backend is probed fast and is down after fall failures', async (t) => {
  const w = world();
  w.set(1, REFUSED);
  w.checker.update([target(1)]);
  await w.time.pass(1_000);
  t.same(w.told, []);
  await w.time.pass(60);
  t.same(w.told, ['b1 down: refused']);
});

t.test('a silent backend is ended by the timeout, which counts as a failure', async (t) => {
  const w = world();
  w.set(1, null);
  w.checker.update([target(1, { fall: 1 })]);
  await w.time.pass(455);
  t.same(w.told, ['b1 timeout', 'b1 down: timeout']);
  t.equal(w.checker.snapshot()[0]?.last?.durationMs, 400);
});

t.test('a failure on our own side condemns no proven backend', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(100);
  w.set(1, { ok: false, failure: 'no-resources', detail: 'no file descriptor left' });
  await w.time.pass(60_000);
  t.same(w.told, ['b1 up: first-success']);
  t.equal(w.checker.snapshot()[0]?.last?.result.ok, false, 'and is shown');
});

t.test('our own want of descriptors leaves an unproven backend unproven', async (t) => {
  const w = world();
  w.set(1, { ok: false, failure: 'no-resources', detail: 'no file descriptor left' });
  w.checker.update([target(1, { fall: 1 })]);
  await w.time.pass(60_000);
  const [health] = w.checker.snapshot();
  t.match(health, { verdict: 'unproven', transitions: 0 });
  t.ok((health?.failures ?? 0) > 60, 'each attempt is counted, and the next one comes soon');
  w.set(1, { ok: true, share: 1, note: '' });
  await w.time.pass(1_000);
  t.match(w.told.at(-1), 'b1 up: first-success');
});

t.test(
  'a target that stays keeps its state and its schedule when others come and go',
  async (t) => {
    const w = world();
    w.checker.update([target(1)]);
    await w.time.pass(100);
    for (let i = 0; i < 199; i++) {
      w.checker.update(i % 2 === 0 ? [target(2), target(1)] : [target(1)]);
      await w.time.pass(100);
    }
    const gaps = w.starts(1).map((start, i, all) => start - (all[i - 1] ?? start));
    t.ok(
      gaps.slice(2).every((gap) => Math.abs(gap - 2_000) < 1e-6),
      'no attempt moved',
    );
    t.equal(w.told.filter((line) => line.startsWith('b1')).length, 1, 'proven once');
    const [health] = w.checker.snapshot();
    t.equal(health?.key, 'b1');
    t.equal(health?.transitions, 1);
  },
);

t.test('a target that goes is not probed any more, and its attempt in flight ends', async (t) => {
  const w = world();
  w.set(1, null);
  w.checker.update([target(1)]);
  await w.time.pass(60);
  t.equal(w.inFlight, 1);
  w.checker.update([]);
  t.equal(w.inFlight, 0);
  await w.time.pass(60_000);
  t.same([w.told, w.attempts.length, w.time.pending], [[], 1, 0]);
  t.same(w.checker.snapshot(), []);
});

t.test('a new schedule applies at once and keeps the state', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(4_000);
  const last = w.starts(1).at(-1) ?? 0;
  w.checker.update([target(1, { intervalMs: 60_000 })]);
  await w.time.pass(59_000 - (w.time.nowMs() - last));
  t.equal(w.starts(1).at(-1), last, 'the old interval is forgotten');
  w.checker.update([target(1, { intervalMs: 1_000 })]);
  await w.time.pass(0);
  t.equal(w.starts(1).at(-1), w.time.nowMs(), 'an interval that has passed already is over');
  t.equal(w.checker.snapshot()[0]?.transitions, 1);
});

t.test(
  'another probe is attempted at once, and the state stays until it says otherwise',
  async (t) => {
    const w = world();
    w.checker.update([target(1)]);
    await w.time.pass(2_500);
    const before = w.attempts.length;
    w.checker.update([target(1, { probe: { kind: 'mysql' } })]);
    t.equal(w.checker.snapshot()[0]?.verdict, 'up');
    await w.time.pass(50);
    t.same(
      w.attempts.slice(before).map((attempt) => attempt.probe),
      ['mysql'],
    );
  },
);

t.test('an attempt with the old definition does not count', async (t) => {
  const w = world();
  w.set(1, null);
  w.checker.update([target(1, { fall: 1 })]);
  await w.time.pass(60);
  w.checker.update([target(1, { fall: 1, probe: { kind: 'mysql' } })]);
  t.equal(w.checker.snapshot()[0]?.attempts, 0);
  await w.time.pass(0);
  t.same(w.told, []);
});

t.test('without a probe a target is up at once, and keeps that when it gets one', async (t) => {
  const w = world();
  w.checker.update([target(1, { probe: { kind: 'none' } })]);
  t.same(w.told, ['b1 up: not-probed']);
  t.equal(w.time.pending, 0);
  w.checker.update([target(1)]);
  await w.time.pass(10_000);
  t.same(w.told, ['b1 up: not-probed']);
  t.ok(w.attempts.length > 2);
});

t.test('a target that is down and loses its probe comes up', async (t) => {
  const w = world();
  w.set(1, REFUSED);
  w.checker.update([target(1)]);
  await w.time.pass(2_000);
  w.checker.update([target(1, { probe: { kind: 'none' } })]);
  t.same(w.told, ['b1 down: refused', 'b1 up: not-probed']);
  await w.time.pass(60_000);
  t.equal(w.told.length, 2);
});

t.test(
  'a degraded answer changes the share, before the verdict and only when it differs',
  async (t) => {
    const w = world();
    w.set(1, { ok: true, share: 0.5, note: 'degraded' });
    w.checker.update([target(1)]);
    await w.time.pass(10_000);
    t.same(w.told, ['b1 share 0.5', 'b1 up: first-success']);
    w.set(1, OK);
    await w.time.pass(10_000);
    t.same(w.told.slice(2), ['b1 share 1']);
  },
);

t.test('a target that is watched anew has the share that it asks for now', async (t) => {
  const w = world();
  w.set(1, { ok: true, share: 0.5, note: 'degraded' });
  w.checker.update([target(1)]);
  await w.time.pass(10_000);
  w.checker.update([]);
  w.set(1, OK);
  w.checker.update([target(1)]);
  await w.time.pass(10_000);
  t.same(w.told.slice(2), ['b1 share 1', 'b1 up: first-success']);
});

t.test('another port is another service: it is probed without the prelude', async (t) => {
  const w = world();
  const prelude = Uint8Array.of(1, 2, 3);
  w.checker.update([
    { ...target(1), prelude },
    { ...target(2, { port: 8008 }), prelude },
  ]);
  await w.time.pass(60);
  const seen = w.attempts.map(({ port, preludeBytes }) => [port, preludeBytes]);
  t.same(
    new Map(seen as [number, number][]),
    new Map([
      [1, 3],
      [8008, 0],
    ]),
  );
});

t.test('attempts in flight are limited, and those that wait are not forgotten', async (t) => {
  const w = world();
  const targets = Array.from({ length: 2 * MAX_PROBES_IN_FLIGHT + 10 }, (_, i) => target(i + 1));
  for (const { endpoint } of targets) if (endpoint.kind === 'ip') w.set(endpoint.port, null);
  w.checker.update(targets);
  await w.time.pass(60);
  t.equal(w.inFlight, MAX_PROBES_IN_FLIGHT);
  await w.time.pass(1_300);
  t.equal(new Set(w.attempts.map(({ port }) => port)).size, targets.length);
  t.equal(w.mostInFlight, MAX_PROBES_IN_FLIGHT);
  w.checker.update([]);
  await w.time.pass(0);
  t.equal(w.inFlight, 0);
});

t.test('an update from inside a verdict is safe', async (t) => {
  const w = world();
  const checker = w.checker;
  checker.update([target(1), target(2)]);
  w.whenTold = (line) => {
    if (line.startsWith('b1 up')) checker.update([target(2, { probe: { kind: 'none' } })]);
  };
  await w.time.pass(60_000);
  t.same(
    checker.snapshot().map(({ key, verdict }) => [key, verdict]),
    [['b2', 'up']],
  );
  t.equal(w.starts(1).length, 1);
});

t.test('a stopped checker leaves neither timers nor attempts, and reports nothing', async (t) => {
  const w = world();
  w.set(1, null);
  w.checker.update([target(1), target(2)]);
  await w.time.pass(60);
  const told = w.told.length;
  await w.checker.stop();
  t.same([w.inFlight, w.time.pending], [0, 0]);
  await w.time.pass(60_000);
  t.equal(w.told.length, told);
  t.throws(() => w.checker.update([]), /stopped/);
});

t.test('a key at another address is another target', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(10_000);
  w.checker.update([{ ...target(2), key: 'b1' }]);
  t.match(w.checker.snapshot(), [{ key: 'b1', verdict: 'unproven', attempts: 0 }]);
  const before = w.starts(1).length;
  await w.time.pass(10_000);
  t.equal(w.starts(1).length, before);
  t.same(w.told, ['b1 up: first-success', 'b1 up: first-success']);
});

t.test('two targets with one key are a broken invariant', async (t) => {
  const w = world();
  t.throws(() => w.checker.update([target(1), target(1)]), /keys/);
});

for (const breaks of ['at once', 'later'] as const) {
  t.test(`a probe that breaks ${breaks} has failed, and all are probed again`, async (t) => {
    const w = world();
    w.set(1, { breaks });
    w.checker.update([target(1), target(2)]);
    await w.time.pass(60);
    t.match(w.checker.snapshot()[0], {
      verdict: 'unproven',
      failures: 1,
      last: { result: { failure: 'internal-error', detail: /defect of sluice: a defect$/ } },
    });
    t.match(w.defects, [{ message: 'a defect' }]);
    w.set(1, OK);
    await w.time.pass(10_000);
    t.same(w.told, ['b2 up: first-success', 'b1 up: first-success']);
    await w.checker.stop();
  });
}

t.test('a report that breaks stops no other report, and all are probed again', async (t) => {
  const w = world();
  w.checker.update([target(1), target(2)]);
  for (const result of [OK, { ...OK, share: 0.5 }, TIMED_OUT, OK]) {
    w.set(1, result);
    w.whenTold = (line) => {
      if (line.startsWith('b1')) throw new Error(line);
    };
    const [before, attempts] = [w.defects.length, w.starts(1).length];
    await w.time.pass(10_000);
    t.ok(w.defects.length > before, `${w.defects.at(-1)}`);
    t.ok(w.starts(1).length > attempts + 1, 'it is probed again');
  }
  t.equal(w.defects.length, w.told.filter((line) => line.startsWith('b1')).length);
  t.same(
    w.told.filter((line) => line.startsWith('b2')),
    ['b2 up: first-success'],
  );
});

t.test('what breaks in shared state passes the wall of a report', async (t) => {
  t.throws(
    () =>
      contain(
        () => assertShared(false, 'a count is right'),
        () => t.fail('not contained'),
      ),
    /a count is right/,
  );
});
