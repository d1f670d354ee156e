/** What one client may have of a listener: sessions at a time, and how fast they may begin. */
import t from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { PLAIN_COLUMN } from '../../../src/core/series_layout.js';
import type { LimitsSpec } from '../../../src/core/spec.js';
import { LateResets } from '../../../src/session/tcp/late_resets.js';
import { FakeTcpEngine } from '../../support/fake_tcp_engine.js';
import { FakeTime } from '../../support/fake_time.js';
import { NO_LIMITS } from '../../support/limits.js';
import { type Bed, bed, client, KEY, NOTHING } from './bed.js';

const TWO: LimitsSpec = { ...NO_LIMITS, sessionsPerClient: 2 };

const limited = (limits: LimitsSpec, more: object = {}) => ({
  listener: { limits, ...more },
});
const peer = (host: string, port = 4711): IpEndpoint => ipEndpoint(4, host, port);

/** How a client's connection is ended at once; null: it is not. */
function comes(test: Bed, worker: number, host: string): PairId | string | null {
  const pair = test.worker(worker).tcp.connect(KEY, peer(host));
  if (pair === null) return 'backlog';
  const { how } = test.worker(worker).tcp.pair(pair);
  test.turn();
  return how ?? pair;
}

/** A client goes away. */
function goes(test: Bed, worker: number, pair: PairId | string | null): void {
  if (typeof pair === 'number') test.worker(worker).tcp.ends(pair, { kind: 'reset', by: 'client' });
  test.turn();
}

t.test('a client has its sessions over all workers and no more, and its place again', async (t) => {
  const test = await bed({ workers: 2, ...limited(TWO) });
  const first = comes(test, 0, '10.1.1.1');
  const second = comes(test, 1, '10.1.1.1');
  t.type(first, 'number');
  t.type(second, 'number');
  t.equal(comes(test, 0, '10.1.1.1'), 'reset');
  t.equal(comes(test, 1, '10.1.1.1'), 'reset');
  t.type(comes(test, 1, '10.1.1.2'), 'number');
  goes(test, 0, first);
  t.type(comes(test, 1, '10.1.1.1'), 'number');
  t.equal(comes(test, 1, '10.1.1.1'), 'reset');
  t.equal(test.ended('too-many-sessions'), 3);
  const [line] = test.records;
  t.match(line, {
    client: '10.1.1.1:4711',
    backend: null,
    end: { by: 'sluice', stage: 'accept', cause: 'too-many-sessions' },
  });
  for (const { plane } of test.workers) {
    plane.endSessions({ backend: null, cause: 'killed', spanMs: 0, limit: null, order: 'final' });
  }
  test.turn();
  t.same(test.remains(), NOTHING);
});

t.test('a client comes so fast, and one that comes sooner does not count', async (t) => {
  const newPerClient = { count: 20, perMs: 1_000, burst: 2 };
  const test = await bed(limited({ ...NO_LIMITS, newPerClient }));
  const all = [1, 2, 3, 4].map(() => comes(test, 0, '10.1.1.1'));
  t.same(
    all.map((one) => typeof one),
    ['number', 'number', 'string', 'string'],
  );
  t.type(comes(test, 0, '10.1.1.2'), 'number');
  await test.pass(50);
  t.type(comes(test, 0, '10.1.1.1'), 'number');
  t.equal(comes(test, 0, '10.1.1.1'), 'reset');
  t.equal(test.ended('too-fast'), 3);
});

t.test('one that is held at the cap of the listener counts, until it goes', async (t) => {
  const test = await bed(limited(TWO, { maxSessions: 1 }));
  const { tcp } = test.worker(0);
  tcp.pauseListener = () => {};
  const one = comes(test, 0, '10.1.1.1');
  const held = comes(test, 0, '10.1.1.1');
  t.equal(comes(test, 0, '10.1.1.1'), 'reset');
  goes(test, 0, held);
  t.type(comes(test, 0, '10.1.1.1'), 'number');
  goes(test, 0, one);
  t.equal(test.remains().clients, 1);
});

t.test('a flood of one client takes no place and few lines, and all is counted', async (t) => {
  const test = await bed(limited(TWO));
  for (let n = 0; n < 500; n++) comes(test, 0, '10.1.1.1');
  t.equal(test.records.length, 10);
  t.equal(test.ended('too-many-sessions'), 498);
  t.match(test.remains(), { sessions: 2, listener: 2, clients: 2 });
});

t.test('exempt clients count and are never refused', async (t) => {
  const exempt = [{ family: 4, host: '10.1.0.0', prefixBits: 16 }] as const;
  const newPerClient = { count: 1, perMs: 1_000, burst: 1 };
  const test = await bed(limited({ ...TWO, newPerClient, exempt }));
  for (let n = 0; n < 5; n++) t.type(comes(test, 0, '10.1.1.1'), 'number');
  t.type(comes(test, 0, '10.2.1.1'), 'number');
  t.equal(comes(test, 0, '10.2.1.1'), 'reset');
  t.equal(test.remains().clients, 6);
  const seen = [...test.clients.clients(test.time.nowMs())].map(({ refused, perSecond }) => ({
    refused,
    came: Math.round(10 * perSecond),
  }));
  t.same(
    seen.sort((a, b) => b.came - a.came),
    [
      { refused: 0, came: 5 },
      { refused: 1, came: 2 },
    ],
  );
});

t.test('a dry run says what would be, and refuses none', async (t) => {
  const test = await bed(limited({ ...TWO, newPerSecond: 1, dryRun: true }));
  const all = Array.from({ length: 5 }, () => comes(test, 0, '10.1.1.1'));
  t.ok(all.every((one) => typeof one === 'number'));
  t.equal(test.dryRun('too-many-sessions'), 3);
  t.equal(test.ended('too-many-sessions'), 0);
  goes(test, 0, all[4] ?? null);
  comes(test, 0, '10.1.1.1');
  t.equal(test.dryRun('too-many-sessions'), 4, 'one that would have been refused has none');
  goes(test, 0, all[0] ?? null);
  comes(test, 0, '10.1.1.1');
  t.equal(test.dryRun('too-many-sessions'), 4);
});

t.test('"close" ends in order, "delay" resets later and waits for none that goes', async (t) => {
  const closing = await bed(limited({ ...TWO, action: 'close' }));
  t.same(
    [1, 2, 3].map(() => comes(closing, 0, '10.1.1.1')).slice(2),
    ['flush'],
    'the client reads an end',
  );
  const test = await bed(limited({ ...TWO, action: 'delay', delayMs: 1_000 }));
  for (let n = 0; n < 2; n++) comes(test, 0, '10.1.1.1');
  const [late, goer] = [comes(test, 0, '10.1.1.1'), comes(test, 0, '10.1.1.1')];
  t.equal(test.ended('too-many-sessions'), 2);
  await test.pass(900);
  t.match(test.remains(), { sessions: 2, pairs: 4, listener: 2 });
  goes(test, 0, goer);
  t.match(test.remains(), { pairs: 3 });
  await test.pass(200);
  t.equal(test.state(late as PairId), null);
  t.match(test.remains(), { sessions: 2, pairs: 2, clients: 2 });
});

t.test('a stop does not wait for sessions that wait for their reset', async (t) => {
  const test = await bed(limited({ ...TWO, action: 'delay' }));
  for (let n = 0; n < 5; n++) comes(test, 0, '10.1.1.1');
  test.worker(0).plane.endSessions({
    backend: null,
    cause: 'shutdown',
    spanMs: 0,
    limit: null,
    order: 'final',
  });
  test.turn();
  t.same(test.remains(), NOTHING);
});

t.test('a worker keeps a thousand of them waiting, and no more', async (t) => {
  const time = new FakeTime();
  const engine = new FakeTcpEngine(time, 1_200);
  const closed: PairId[] = [];
  engine.close = (pair) => void closed.push(pair);
  const late = new LateResets(engine, time);
  for (let pair = 0; pair < 1_100; pair++) late.reset(pair as PairId, 100);
  t.equal(closed.length, 100);
  t.equal(late.count, 1_000);
  await time.pass(200);
  while (late.tick(time.nowMs()) <= time.nowMs());
  t.equal(closed.length, 1_100);
});

t.test('in no second more begin than the limit; the rest waits in the backlog', async (t) => {
  for (const newPerSecond of [5, 100]) {
    const test = await bed({
      workers: 2,
      ...limited({ ...NO_LIMITS, newPerSecond }),
    });
    const begun: number[] = [];
    for (let ms = 0; ms < 3_000; ms += 5) {
      for (const { tcp } of test.workers) {
        if (tcp.sockets.get(KEY)?.backlog.length === 0) tcp.connect(KEY, client(ms));
      }
      const before = test.total('accepted');
      await test.pass(5, 5);
      for (let n = test.total('accepted') - before; n > 0; n--) begun.push(ms);
      for (const { tcp } of test.workers) {
        for (const pair of [...tcp.pairs.keys()]) tcp.ends(pair, { kind: 'reset', by: 'client' });
      }
      test.turn();
    }
    for (const from of begun) {
      const within = begun.filter((ms) => ms >= from && ms < from + 995).length;
      t.ok(within <= newPerSecond, `${within} in a second of ${newPerSecond}`);
    }
    t.ok(begun.length >= 3 * newPerSecond * 0.9, `${begun.length} in 3 s of ${newPerSecond}`);
    t.equal(test.ended('too-fast'), 0);
  }
});

t.test('a full table lets a client pass, and counts that', async (t) => {
  const test = await bed({ sets: 1, ...limited({ ...TWO, sessionsPerClient: 1 }) });
  for (let n = 0; n < 40; n++) t.type(comes(test, 0, `10.1.1.${n}`), 'number');
  t.equal(test.total('uncounted'), 8);
  t.equal(comes(test, 0, '10.1.1.1'), 'reset');
  t.ok(PLAIN_COLUMN.uncounted > 0);
});

t.test('a reload keeps counts, and other limits hold for clients that come next', async (t) => {
  const test = await bed(limited(TWO));
  const [one, two] = [comes(test, 0, '10.1.1.1'), comes(test, 0, '10.1.1.1')];
  await test.apply({ listeners: [test.listener({ limits: { ...TWO, sessionsPerClient: 3 } })] });
  t.type(comes(test, 0, '10.1.1.1'), 'number');
  t.equal(comes(test, 0, '10.1.1.1'), 'reset');
  await test.apply({ listeners: [test.listener({ limits: null })] });
  t.type(comes(test, 0, '10.1.1.1'), 'number');
  await test.apply({ listeners: [test.listener({ limits: TWO })] });
  goes(test, 0, one);
  t.equal(comes(test, 0, '10.1.1.1'), 'reset', 'two of three are here');
  goes(test, 0, two);
  t.type(comes(test, 0, '10.1.1.1'), 'number');
});
