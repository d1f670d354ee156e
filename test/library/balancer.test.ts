import { Registry } from 'prom-client';
import t from 'tap';
import { NoBackendError } from '../../src/library/errors.js';
import type { Instances } from '../../src/library/instances.js';
import type { HostAnswer } from '../../src/names/host_lookup.js';
import { A, activeOf, B, Bed, C, errorOf } from './bed.js';

t.test('a lease is settled once, whatever is said afterwards', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A] });
  const lease = balancer.pick();
  t.match(lease, { name: A, address: A, host: '10.0.0.1', port: 80 });
  t.same(activeOf(balancer), { [A]: 1 });
  lease.succeeded(3);
  lease.failed();
  lease.succeeded();
  t.same(activeOf(balancer), { [A]: 0 });
  {
    using unused = balancer.pick();
    t.equal(unused.name, A);
  }
  t.same(activeOf(balancer), { [A]: 0 });
});

t.test('a cap is never passed, and a request that finds all full learns why of each', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B], maxConnections: 2 });
  const leases = [1, 2, 3, 4].map(() => balancer.pick());
  t.same(activeOf(balancer), { [A]: 2, [B]: 2 });
  const error = await errorOf(() => balancer.pick());
  t.ok(error instanceof NoBackendError);
  t.match(error, { code: 'all-full', reasons: { [A]: 'full', [B]: 'full' }, tried: [] });
  for (const lease of leases) lease.succeeded();
  t.equal(balancer.pick().name.slice(0, 7), '10.0.0.');
});

t.test('probes decide which are eligible, by the rules of the daemon', async (t) => {
  const bed = new Bed();
  const health = { interval: '1s', fastInterval: '100ms', downInterval: '1s', jitter: 0 };
  const balancer = await bed.balancer(t, { backends: [A, B], health });
  bed.down(A);
  await bed.pass(2_000);
  t.same(bed.told, [`backend-down ${A}`]);
  for (let turn = 0; turn < 20; turn++) t.equal(balancer.pick().name, B);
  bed.down(B);
  await bed.pass(2_000);
  t.match(await errorOf(() => balancer.pick()), { code: 'all-down', reasons: { [A]: 'down' } });
  bed.up(A);
  await bed.pass(4_000);
  t.same(bed.told.slice(1), [`backend-down ${B}`, `backend-up ${A}`]);
  t.equal(balancer.pick().name, A);
});

t.test('a backend that fails in requests is ejected at once, and returns in time', async (t) => {
  const bed = new Bed();
  const outlier = { consecutiveFailures: 3, baseEjection: '30s' };
  const balancer = await bed.balancer(t, { backends: [A, B], outlier });
  for (let failures = 0; failures < 3; ) {
    const lease = balancer.pick();
    if (lease.name === A) {
      lease.failed();
      failures++;
    } else lease.succeeded(1);
  }
  for (let turn = 0; turn < 20; turn++) t.equal(balancer.pick().name, B);
  await bed.pass(250);
  t.same(bed.told, [`backend-ejected ${A}`]);
  t.match(balancer.snapshot().backends[0], { state: 'ejected', reason: 'ejected' });
  await bed.pass(31_000);
  t.same(bed.told.slice(1), [`backend-returned ${A}`]);
});

t.test('an update keeps the counts and the health of those that stay', async (t) => {
  const bed = new Bed();
  const health = { interval: '1s', fastInterval: '100ms', jitter: 0 };
  const balancer = await bed.balancer(t, { backends: [A, B], health });
  bed.down(B);
  await bed.pass(2_000);
  const held = balancer.pick();
  await balancer.update({ backends: [B, C, { address: A, weight: 3 }] });
  t.same(activeOf(balancer), { [A]: 1, [B]: 0, [C]: 0 });
  const states = balancer.snapshot().backends.map(({ name, state }) => `${name} ${state}`);
  t.same(states, [`${A} up`, `${B} down`, `${C} unproven`]);
  held.succeeded();
  t.same(activeOf(balancer), { [A]: 0, [B]: 0, [C]: 0 });
});

t.test('a list that its application changes later is no part of an update', async (t) => {
  const b = { address: B, weight: 2 };
  const backends: (string | typeof b)[] = [A, b];
  const balancer = await new Bed().balancer(t, { backends });
  backends.push(C, 'nowhere');
  b.weight = -1;
  await balancer.update({ retries: 1 });
  t.match(balancer.snapshot().backends, [{ name: A }, { name: B, weight: 2 }]);
  t.equal(balancer.snapshot().backends.length, 2);
});

t.test('an update that is not valid changes nothing', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A] });
  const error = await errorOf(() => balancer.update({ backends: ['nowhere'], retries: -1 }));
  t.match(error, { code: 'bad-options', message: /retries: too small/ });
  t.equal(balancer.pick().name, A);
  t.match(await errorOf(() => balancer.update({ name: 'another' })), { code: 'bad-options' });
});

t.test('a removed backend gets nothing new, and is gone with its last request', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A] });
  const held = balancer.pick();
  await balancer.update({ backends: [B] });
  t.equal(balancer.pick().name, B);
  t.same(bed.told, [`backend-added ${B}`, `backend-removed ${A}`, `backend-up ${B}`]);
  await bed.pass(1_000);
  t.equal(balancer.snapshot().backends[0]?.state, 'leaving');
  held.failed();
  await bed.pass(250);
  t.same(bed.told.slice(3), [`backend-drained ${A}`]);
  t.same(activeOf(balancer), { [B]: 1 });
});

t.test('a drain ends when the last request has, and `ready` takes it back', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, { address: B, name: 'b' }] });
  const leases = [1, 2].map(() => balancer.pick());
  const drained = balancer.drain('b').then(() => bed.told.push('resolved'));
  t.equal(balancer.pick().name, A);
  t.equal(balancer.snapshot().backends[1]?.reason, 'drained');
  for (const lease of leases) lease.succeeded();
  await bed.pass(250);
  await drained;
  t.same(bed.told, ['backend-drained b', 'resolved']);
  balancer.ready(B);
  t.equal(balancer.snapshot().backends[1]?.reason, null);
  t.throws(() => balancer.ready('nobody'), RangeError);
});

t.test('a drain that ends otherwise is reported to its caller, and holds nothing', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A, B] });
  const held = [1, 2].map(() => balancer.pick());
  const drains = [balancer.drain(A), balancer.drain(B)];
  balancer.ready(A);
  await drains[0];
  await balancer.close();
  await drains[1];
  t.equal(bed.time.pending, 0);
  t.equal(balancer.listenerCount('backend-drained'), 1, 'that of the test alone');
  for (const lease of held) lease.succeeded();
});

t.test('names are looked up, and looked up again', async (t) => {
  const bed = new Bed();
  bed.names.set('db', found('10.0.0.1'));
  const balancer = await bed.balancer(t, { backends: ['db:80', 'later:80'] });
  t.match(balancer.pick(), { name: 'db:80', address: A });
  t.match(balancer.snapshot().unresolved, [{ name: 'later:80', standIn: null }]);
  bed.names.set('db', found('10.0.0.2'));
  bed.names.set('later', found('10.0.0.3'));
  await bed.pass(10_000);
  const places = new Set(Array.from({ length: 50 }, () => balancer.pick().address));
  t.same([...places].sort(), [B, C]);
});

t.test(
  'a name without an address takes no backend away: the one that served goes on in its place',
  async (t) => {
    const bed = new Bed();
    const balancer = await bed.balancer(t, { backends: [{ address: A, name: 'a' }, B] });
    await balancer.update({
      backends: ['nowhere:80', { address: 'nobody:80', name: 'a', weight: 3 }],
    });
    t.same(activeOf(balancer), { a: 0, [B]: 0 });
    const { unresolved, backends } = balancer.snapshot();
    t.same(unresolved, [
      { name: 'nowhere:80', address: 'nowhere:80', standIn: B },
      { name: 'a', address: 'nobody:80', standIn: 'a' },
    ]);
    t.match(backends, [{ name: 'a', address: A, weight: 3 }, { name: B }]);
    t.same(bed.told, []);
    bed.names.set('nowhere', found('10.0.0.3'));
    await bed.pass(10_000);
    t.same(activeOf(balancer), { a: 0, 'nowhere:80': 0 });
    await balancer.update({ backends: ['nowhere:80'] });
    t.same(activeOf(balancer), { 'nowhere:80': 0 });
  },
);

t.test('an update to no backends is refused, unless a source may name some', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A] });
  const error = await errorOf(() => balancer.update({ backends: [] }));
  t.match(error, { code: 'bad-options', message: /^backends: none would be left \(expected/ });
  await balancer.update({ retries: 1 });
  t.same(activeOf(balancer), { [A]: 0 });
  let tell: (all: Instances) => void = () => {};
  const registry = {
    subscribe(onSnapshot: typeof tell): void {
      tell = onSnapshot;
    },
  };
  const updated = balancer.update({ backends: [], discovery: { registry, hold: 100 } });
  await bed.pass(2_000);
  await updated;
  t.same(activeOf(balancer), { [A]: 0 }, 'it is silent');
  tell([]);
  await bed.pass(2_000);
  t.same(activeOf(balancer), { [A]: 0 }, 'it names no backend');
  tell([B]);
  await bed.pass(2_000);
  t.same(activeOf(balancer), { [B]: 0 });
  await balancer.update({ backends: [C] });
  await balancer.update({ discovery: [] });
  t.same(activeOf(balancer), { [C]: 0 });
});

t.test('the same key has the same backend, whichever others leave', async (t) => {
  const balancer = await new Bed().balancer(t, { backends: [A, B, C], policy: 'source-hash' });
  const homes = new Map<string, string>();
  for (let key = 0; key < 50; key++) {
    const lease = balancer.pick({ key: `tenant-${key}` });
    homes.set(`tenant-${key}`, lease.name);
    lease.succeeded();
  }
  t.equal(new Set(homes.values()).size, 3);
  await balancer.update({ backends: [A, B] });
  for (const [key, home] of homes) {
    const lease = balancer.pick({ key });
    if (home !== C) t.equal(lease.name, home, key);
    lease.succeeded();
  }
  t.match(balancer.explain({ key: 'tenant-1' }).backends, [{ backend: A, eligible: true }]);
});

t.test('a closed balancer says so, and nothing of it is left', async (t) => {
  const bed = new Bed();
  const queue = { size: 1, timeout: '5s' };
  const balancer = await bed.balancer(t, { backends: [A], maxConnections: 1, queue });
  balancer.pick();
  const waits = errorOf(() => balancer.execute(() => 1));
  await balancer.close();
  t.match(await waits, { code: 'closed' });
  t.equal(bed.time.pending, 0);
});

t.test('metrics have the names and labels of the daemon', async (t) => {
  const registry = new Registry();
  const bed = new Bed();
  const first = await bed.balancer(t, { name: 'users', backends: [A], maxConnections: 7 });
  const second = await bed.balancer(t, { name: 'orders', backends: [B] });
  for (const balancer of [first, second]) balancer.metrics(registry);
  first.pick();
  const page = await registry.metrics();
  t.match(page, `sluice_backend_active{pool="users",backend="${A}"} 1`);
  t.match(page, `sluice_backend_max_connections{pool="users",backend="${A}"} 7`);
  t.match(page, `sluice_backend_up{pool="orders",backend="${B}"} 1`);
  t.match(page, '# TYPE sluice_retries_total counter');
  await second.close();
  t.notMatch(await registry.metrics(), 'orders');
});

t.test('what a listener throws stops nothing', async (t) => {
  const bed = new Bed();
  const balancer = await bed.balancer(t, { backends: [A] });
  const mine = new Error('mine');
  balancer.on('backend-added', () => {
    throw mine;
  });
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
  await balancer.update({ backends: [A, B] });
  t.equal(await uncaught, mine);
  t.equal(balancer.snapshot().backends.length, 2);
});

function found(host: string): HostAnswer {
  return { kind: 'found', addresses: [{ kind: 'ip', family: 4, host, port: 0 }], unroutable: [] };
}
