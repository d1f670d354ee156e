/** What is given by mistake is said at once, where it was given, and nothing else happens. */
import { EventEmitter } from 'node:events';
import t, { type Test } from 'tap';
import { hashRingOf, maglevOf, Picker } from '../../src/library/algorithms.js';
import { createBalancer } from '../../src/library/create.js';
import { createHealth } from '../../src/library/health_service.js';
import { httpAgent } from '../../src/library/http.js';
import { ioredisConnector } from '../../src/library/ioredis.js';
import type { MetricRegistry } from '../../src/library/metrics.js';
import { pgStream } from '../../src/library/pg.js';
import { undiciConnector } from '../../src/library/undici.js';
import { A, B, Bed, errorOf } from './bed.js';

const NO_TABLES = [null, 7, 'x', true, [], () => 1];

/** As a caller in JavaScript may: without regard to types. */
type Loose = (...words: unknown[]) => unknown;

/** A text that is found as it stands. */
function escaped(text: string): string {
  return text.replace(/[()]/g, '\\$&');
}

async function refused(
  t: Test,
  call: () => unknown,
  said: RegExp,
  what = 'refused',
): Promise<void> {
  const error = await errorOf(call);
  t.match(error, { code: 'bad-options', message: said }, what);
}

t.test('createBalancer: options that are none, a name or a queue that is none', async (t) => {
  const create = createBalancer as Loose;
  for (const options of [undefined, ...NO_TABLES]) {
    await refused(t, () => create(options), /^options: wrong type \(expected an object; got/);
  }
  for (const name of [null, 7, '', 'a b', {}]) {
    await refused(t, () => create({ name }), /^name: not a usable name/);
  }
  for (const queue of [7, 'x', [], true]) {
    await refused(t, () => create({ queue }), /^queue: wrong type \(expected an object; got/);
  }
  await refused(
    t,
    () => create({}),
    /^options: no backend is named \(expected backends or discovery/,
  );
  const [backends, word] = [[A], '(expected it under health; got "interval")'];
  await refused(t, () => create({ backends, interval: 5 }), new RegExp(escaped(word)));
  const file = '(expected it in the file of the daemon; got "maxSessions")';
  await refused(t, () => create({ backends, maxSessions: 5 }), new RegExp(escaped(file)));
  const own = JSON.parse('{ "__proto__": 1 }');
  const said = /^__proto__: unknown key \(expected an option of the balancer; got "__proto__"\)/;
  await refused(t, () => create(Object.assign(Object.create(null), { backends }, own)), said);
  const both = create({ queue: { sise: 1 }, polcy: 'x' });
  const { message } = await errorOf(() => both);
  t.match(message, /^queue\.sise: unknown option \(expected one of: size, timeout;/m);
  t.match(message, /^polcy: unknown key/m, 'all of it at once');
  const balancer = await new Bed().balancer(t, { backends: [A] });
  for (const changes of NO_TABLES.slice(1)) {
    await refused(t, () => (balancer.update as Loose).call(balancer, changes), /^changes: wrong/);
  }
});

t.test('createHealth: unknown words, checks that are none, durations', async (t) => {
  const create = createHealth as Loose;
  for (const options of NO_TABLES.slice(1)) {
    await refused(t, () => create(options), /^options: wrong type/);
  }
  await refused(t, () => create({ cheks: {} }), /^cheks: unknown option \(expected one of: checks/);
  await refused(t, () => create({ checks: [] }), /^checks: wrong type/);
  for (const check of [null, {}, { run: 7 }]) {
    await refused(t, () => create({ checks: { db: check } }), /^checks\.db\.run: missing/);
  }
  await refused(t, () => create({ checks: { db: 7 } }), /^checks\.db: wrong type/);
  const check = { run: () => true, critical: false };
  await refused(
    t,
    () => create({ checks: { db: check } }),
    /^checks\.db\.critical: unknown option/,
  );
  await refused(t, () => create({ drainDelay: 'soon' }), /^drainDelay: not a duration/);
  await refused(t, () => create({ stopTimeout: 0 }), /^stopTimeout: .* above 0/);
  using health = await createHealth({ drainDelay: '0ms' });
  await refused(t, () => (health.drain as Loose)({ clos: () => {} }), /^clos: unknown option/);
  await refused(t, () => (health.drain as Loose)({ stop: 7 }), /^stop: wrong type/);
  t.equal(health.report().status, 'ok', 'nothing has begun');
  const failed = health.drain({ close: () => Promise.reject(new Error('mine')) });
  await t.rejects(failed, { message: 'mine' });
});

t.test('an error that cannot be shown is one all the same', async (t) => {
  const bed = new Bed();
  const broken = Object.create(null);
  using health = await createHealth({ checks: { db: () => Promise.reject(broken) } });
  t.match(health.report().checks, [{ status: 'fail', detail: 'an error that cannot be shown' }]);
  const subscribe = () => Promise.reject(broken);
  const getInstances = () => Promise.reject(broken);
  const asked = Object.assign(new EventEmitter(), { getInstances });
  for (const discovery of [{ subscribe }, asked]) {
    const balancer = await bed.balancer(t, { discovery });
    t.match(balancer.snapshot().sources, [{ state: 'failed', reason: /cannot be shown/ }]);
  }
});

t.test('adapters: no balancer, unknown options, a key that is none', async (t) => {
  const adapters = { httpAgent, ioredisConnector, pgStream, undiciConnector };
  const balancer = { connect: () => Promise.reject(new Error('no backend')) };
  for (const [name, adapter] of Object.entries(adapters)) {
    const make = adapter as Loose;
    for (const none of [undefined, null, {}, 7]) {
      await refused(t, () => make(none), /^balancer: wrong type \(expected what create/, name);
    }
    await refused(t, () => make(balancer, { key: 7 }), /^key: wrong type/, name);
    if (name === 'httpAgent') continue;
    await refused(t, () => make(balancer, { kye: 'x' }), /^kye: unknown option/, name);
  }
});

t.test('algorithms: members, sizes and measures that are none', async (t) => {
  const make = (algorithm: unknown, members: unknown, options?: unknown): unknown =>
    new (Picker as unknown as new (...words: unknown[]) => unknown)(algorithm, members, options);
  for (const algorithm of ['source-hash', 'fastest', undefined]) {
    await refused(t, () => make(algorithm, []), /^algorithm: unknown value \(expected one of: /);
  }
  await refused(t, () => make('p2c', [], { clock: 1 }), /^clock: unknown option/);
  const misfits: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /^members: wrong type/],
    [{ name: 'a' }, /^members: wrong type/],
    [['a'], /^members\[0\]: wrong type/],
    [[{}], /^members\[0\]\.name: wrong type/],
    [[{ name: 'a' }, { name: 'a' }], /^members\[1\]\.name: twice/],
    ...[-1, 0.5, 1_001, Number.NaN, '2'].map(
      (weight) => [[{ name: 'a', weight }], /^members\[0\]\.weight: out of range/] as const,
    ),
  ];
  for (const [members, said] of misfits) {
    await refused(t, () => make('p2c', members), said);
    await refused(t, () => (hashRingOf as Loose)(members), said);
    await refused(t, () => (maglevOf as Loose)(members), said);
  }
  for (const virtualNodes of [0, -1, 1.5, Number.NaN, 1e9, '150']) {
    await refused(t, () => (hashRingOf as Loose)([], { virtualNodes }), /^virtualNodes: out of/);
  }
  for (const tableSize of [0, -7, Number.NaN, 1e9, '7']) {
    await refused(t, () => (maglevOf as Loose)([], { tableSize }), /^tableSize: out of range/);
  }
  await refused(t, () => maglevOf([], { tableSize: 100 }), /a prime, such as 101; got 100/);
  for (const homesOf of [hashRingOf, maglevOf]) {
    const home = homesOf([{ name: 'a' }]) as Loose;
    for (const key of [undefined, null, 7, {}]) await refused(t, () => home(key), /^key: wrong ty/);
  }
  const loose = new Picker('p2c', [{ name: 'a' }]) as unknown as Record<'pick' | 'done', Loose>;
  for (const none of ['a', 7, {}]) await refused(t, () => loose.pick(none), /^except: wrong type/);
  for (const none of [null, 'a']) await refused(t, () => loose.done(none), /^member: wrong type/);
  const picker = new Picker('least-latency', [{ name: 'a' }, { name: 'b' }]);
  for (const tookMs of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    const member = picker.pick();
    if (member !== null) picker.done(member, { tookMs });
  }
  const chosen = Array.from({ length: 40 }, () => picker.pick()?.name);
  t.same(new Set(chosen), new Set(['a', 'b']), 'no measure that is none keeps any request away');
});

t.test('metrics: no registry, and a name that it has already', async (t) => {
  const metrics = new Map<string, unknown>();
  const registry: MetricRegistry = {
    getSingleMetric: (name) => metrics.get(name),
    registerMetric: (metric: { readonly name: string }) => {
      metrics.set(metric.name, metric);
    },
  };
  const first = await new Bed().balancer(t, { backends: [A] });
  for (const none of [undefined, null, {}, 7]) {
    await refused(t, () => (first.metrics as Loose).call(first, none), /^registry: no registry/);
  }
  first.metrics(registry);
  await refused(t, () => first.metrics(registry), /^registry: it has a balancer of this name/);
  const second = await new Bed().balancer(t, { backends: [B] });
  await refused(t, () => second.metrics(registry), /another `name` for each balancer/);
  const third = await new Bed().balancer(t, { name: 'third', backends: [B] });
  third.metrics(registry);
  await first.close();
  second.metrics(registry);
});

t.test('a backend may be called as what every object has', async (t) => {
  const names = ['__proto__', 'constructor', 'toString'];
  const backends = names.map((name, index) => ({ address: `10.0.0.${index + 1}:80`, name }));
  const balancer = await new Bed().balancer(t, { backends, maxConnections: 1 });
  for (const _ of names) balancer.pick();
  const { reasons } = await errorOf(() => balancer.pick());
  t.same(
    Object.entries(reasons as object),
    names.map((name) => [name, 'full']),
  );
  for (const name of names) void balancer.drain(name);
  t.same(new Set(balancer.snapshot().backends.map(({ state }) => state)), new Set(['drained']));
});

t.test('a message names a few backends, and the error has all', async (t) => {
  const backends = Array.from({ length: 40 }, (_, index) => `10.0.1.${index + 1}:80`);
  const balancer = await new Bed().balancer(t, { backends, maxConnections: 1 });
  for (const _ of backends) balancer.pick();
  const error = await errorOf(() => balancer.pick());
  t.match(error['message'], /\(10\.0\.1\.1:80 full, .*, 32 more\)$/);
  t.equal(Object.keys(error['reasons'] as object).length, 40);
});
