import t from 'tap';
import { DUE_PER_TURN } from '../../../src/session/due.js';
import { backendId, bed, NOTHING } from './bed.js';

t.test(
  'a session without a byte in either direction ends by FIN after the idle timeout',
  async (t) => {
    const test = await bed({ listener: { idleTimeoutMs: 1000 } });
    const pair = test.relay();
    await test.pass(990, 100);
    t.match(test.state(pair), /^relaying/);
    await test.time.pass(20);
    test.worker(0).plane.tick(test.time.nowMs());
    t.equal(test.worker(0).tcp.pair(pair).how, 'flush');
    test.turn();
    t.match(test.records, [{ end: { by: 'sluice', stage: 'relay', cause: 'idle-timeout' } }]);
    t.same(test.remains(), NOTHING);
  },
);

t.test('any byte either way is activity', async (t) => {
  for (const direction of ['in', 'out'] as const) {
    const test = await bed({ listener: { idleTimeoutMs: 1000 } });
    const pair = test.relay();
    for (let round = 0; round < 5; round++) {
      await test.pass(900, 100);
      test.worker(0).tcp.moves(pair, direction, 1);
    }
    t.match(test.state(pair), /^relaying/, direction);
    await test.pass(1020, 10);
    t.same(test.causes, ['idle-timeout']);
  }
});

t.test('a listener that comes back has its sessions, and they have its new limits', async (t) => {
  const test = await bed();
  test.relay();
  const { listeners } = test.plan;
  await test.apply({ listeners: [] });
  await test.apply({ listeners });
  await test.apply({ listeners: [test.listener({ idleTimeoutMs: 500 })] });
  await test.pass(1000, 100);
  t.same(test.causes, ['idle-timeout']);
});

t.test('a reload that shortens the idle timeout holds for sessions that run', async (t) => {
  const test = await bed({ listener: { idleTimeoutMs: 3_600_000 } });
  test.relay();
  await test.pass(100);
  await test.apply({ listeners: [test.listener({ idleTimeoutMs: 500 })] });
  await test.pass(420);
  t.same(test.causes, ['idle-timeout']);
});

t.test('a session past its greatest age ends, within 10 % of it', async (t) => {
  const test = await bed({ listener: { maxSessionAgeMs: 1000 } });
  for (let index = 0; index < 20; index++) test.relay();
  const ages: number[] = [];
  for (let passed = 0; passed < 1200; passed += 20) {
    await test.pass(20);
    for (const [pair] of test.worker(0).tcp.pairs) test.worker(0).tcp.moves(pair, 'in', 1);
  }
  for (const { durationMs, end } of test.records) {
    t.equal(end.cause, 'max-age');
    ages.push(durationMs);
  }
  t.equal(ages.length, 20);
  t.ok(Math.min(...ages) >= 900 && Math.max(...ages) <= 1120, `${ages}`);
  t.ok(new Set(ages).size > 5, 'those that began together do not end together');
});

t.test('closings are spread over the span, those idle longest first', async (t) => {
  const test = await bed({ backends: 1 });
  const { tcp, plane } = test.worker(0);
  const pairs = Array.from({ length: 10 }, () => test.relay());
  for (const pair of pairs.toReversed()) {
    await test.pass(10);
    tcp.moves(pair, 'in', 1);
  }
  plane.endSessions({
    backend: backendId(0),
    cause: 'drained',
    spanMs: 1000,
    limit: null,
    order: 'revocable',
  });
  const left: number[] = [];
  for (let step = 1; step <= 10; step++) {
    await test.pass(100);
    left.push(tcp.pairs.size);
  }
  await test.pass(20);
  for (const [step, count] of left.entries()) t.ok(Math.abs(count - (9 - step)) <= 1, `${left}`);
  t.same(
    test.records.map((record) => record.client),
    test.records
      .map((record) => record.client)
      .toSorted()
      .toReversed(),
  );
  t.match(test.records[0], { end: { by: 'sluice', stage: 'drain', cause: 'drained' } });
  t.same(test.remains(), NOTHING);
});

t.test('only the sessions of the backend in question end', async (t) => {
  const test = await bed({ backends: 2 });
  for (let index = 0; index < 6; index++) test.relay();
  test.worker(0).plane.endSessions({
    backend: backendId(1),
    cause: 'backend-down',
    spanMs: 0,
    limit: null,
    order: 'final',
  });
  test.turn();
  t.same([test.at(0, 'active'), test.at(1, 'active')], [3, 0]);
  t.same(test.causes, Array(3).fill('backend-down'));
});

t.test('an end for many comes to a few of them in a turn', async (t) => {
  const test = await bed({ backends: 1 });
  const many = DUE_PER_TURN + 10;
  const pairs = Array.from({ length: many }, () => test.relay());
  const last = test.relay();
  const worker = test.worker(0);
  // The fake engine reports the ends in its next turn.
  const ending = (): number => pairs.filter((pair) => test.state(pair)?.[0] !== 'r').length;
  const order = {
    backend: backendId(0),
    cause: 'backend-down',
    spanMs: 0,
    limit: null,
    order: 'final',
  } as const;
  worker.plane.endSessions(order);
  const over = [ending()];
  // Whatever is ordered within a turn, no more of them are ended in it.
  worker.plane.endSessions(order);
  over.push(ending());
  // A client that leaves while it waits for its end is no other's concern.
  worker.tcp.ends(last, { kind: 'reset', by: 'client' });
  for (let turn = 0; turn < 3; turn++) {
    worker.turn();
    over.push(ending());
  }
  t.same(over, [DUE_PER_TURN, DUE_PER_TURN, many, many, many]);
  test.turn();
  t.same(test.remains(), NOTHING);
});

t.test('the earlier of two notices holds', async (t) => {
  const test = await bed({ backends: 1 });
  test.relay();
  const { plane } = test.worker(0);
  plane.endSessions({
    backend: backendId(0),
    cause: 'drained',
    spanMs: 10_000,
    limit: null,
    order: 'revocable',
  });
  plane.endSessions({
    backend: backendId(0),
    cause: 'killed',
    spanMs: 0,
    limit: null,
    order: 'final',
  });
  test.turn();
  t.same(test.causes, ['killed']);
  test.relay();
  plane.endSessions({
    backend: backendId(0),
    cause: 'backend-down',
    spanMs: 1,
    limit: null,
    order: 'final',
  });
  plane.endSessions({
    backend: backendId(0),
    cause: 'drained',
    spanMs: 60_000,
    limit: null,
    order: 'revocable',
  });
  await test.pass(30);
  t.same(test.causes, ['killed', 'backend-down']);
});

t.test('a drain that is over ends no more, and what was ordered for good still does', async (t) => {
  const test = await bed({ backends: 1 });
  const { plane } = test.worker(0);
  const [, , ...others] = Array.from({ length: 10 }, () => test.relay());
  const order = { backend: backendId(0), limit: null } as const;
  const drain = { ...order, cause: 'drained', order: 'revocable' } as const;
  plane.endSessions({ ...order, cause: 'backend-down', spanMs: 10_000, order: 'final' });
  plane.endSessions({ ...drain, spanMs: 5_000 });
  plane.endSessions({ ...drain, spanMs: 1_000 });
  await test.pass(210);
  t.same(test.causes, ['drained', 'drained']);
  plane.spareSessions([backendId(1)]);
  await test.pass(100);
  t.same(test.causes.length, 3, 'that of another backend is no news');
  plane.spareSessions([backendId(0)]);
  const spared = others.filter((pair) => test.state(pair) !== null);
  t.equal(spared.length, 7);
  await test.pass(9_000);
  t.same(new Set(test.causes.slice(3)), new Set(['backend-down']));
  await test.pass(1_000);
  t.same(test.remains(), NOTHING);
});

t.test('what a drain has not ended stays when the drain is over', async (t) => {
  const test = await bed({ backends: 1 });
  const { plane } = test.worker(0);
  for (let index = 0; index < 10; index++) test.relay();
  const how = { cause: 'drained', spanMs: 1_000, limit: null, order: 'revocable' } as const;
  plane.endSessions({ backend: backendId(0), ...how });
  await test.pass(520);
  const { length } = test.causes;
  t.ok(length >= 4 && length <= 6, `${length} have ended`);
  plane.spareSessions([backendId(0)]);
  await test.pass(2_000);
  t.equal(test.causes.length, length);
  t.equal(test.at(0, 'active'), 10 - length);
});

t.test('a notice that comes while a session dials holds when it relays', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.accept();
  test.worker(0).plane.endSessions({
    backend: backendId(0),
    cause: 'drained',
    spanMs: 100,
    limit: null,
    order: 'revocable',
  });
  test.worker(0).tcp.dialSucceeds(pair);
  await test.pass(120);
  t.same(test.causes, ['drained']);
});

t.test('one that goes on to another backend forgets the notice of the former', async (t) => {
  const test = await bed({ backends: 2 });
  const pair = test.accept();
  const [first, second] = test.at(0, 'active') === 1 ? [0, 1] : [1, 0];
  const { plane, tcp } = test.worker(0);
  const order = { backend: backendId(first), limit: null, order: 'revocable' } as const;
  plane.endSessions({ ...order, cause: 'drained', spanMs: 100 });
  tcp.dialFails(pair, 'timeout');
  tcp.dialSucceeds(pair);
  await test.pass(120);
  t.same(test.causes, []);
  t.equal(test.at(second, 'active'), 1);
  plane.endSessions({ ...order, backend: null, cause: 'shutdown', spanMs: 0 });
  test.turn();
  t.same(test.causes, ['shutdown']);
});

t.test('an end for all reaches sessions in every phase', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 5 } });
  test.ledger.setCap(backendId(0), 2);
  test.relay();
  test.accept();
  test.accept();
  test.worker(0).plane.endSessions({
    backend: null,
    cause: 'shutdown',
    spanMs: 0,
    limit: null,
    order: 'final',
  });
  test.turn();
  t.same(test.records.map(({ end }) => end.stage).toSorted(), ['dial', 'drain', 'queue']);
  t.same(new Set(test.causes), new Set(['shutdown']));
  t.same(test.remains(), NOTHING);
});

t.test('a move ends as many sessions as it says, old enough, the longest idle first', async (t) => {
  const test = await bed({ backends: 1, listener: { idleTimeoutMs: 3_600_000 } });
  const { tcp, plane } = test.worker(0);
  const old = Array.from({ length: 5 }, () => test.relay());
  await test.pass(60_000, 1000);
  const young = [test.relay(), test.relay()];
  for (const pair of old.slice(0, 3)) tcp.moves(pair, 'in', 1);
  plane.endSessions({
    backend: backendId(0),
    cause: 'rebalanced',
    spanMs: 0,
    limit: { count: 3, minAgeMs: 30_000 },
    order: 'final',
  });
  t.same(
    old.map((pair) => tcp.pair(pair).how),
    ['flush', null, null, 'flush', 'flush'],
  );
  t.same(
    young.map((pair) => tcp.pair(pair).how),
    [null, null],
  );
  test.turn();
  t.same(test.causes, Array(3).fill('rebalanced'));
});
