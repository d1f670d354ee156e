import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { balancerFromToml } from '../../src/library/create.js';
import type { Instances } from '../../src/library/instances.js';
import { eventually } from '../support/deadline.js';
import { tempFolder } from '../support/places.js';
import { A, activeOf, B, Bed, C, errorOf } from './bed.js';

const D = '10.0.0.4:80';
/** The daemon's part of the file. */
const LISTENER = '[listeners.users]\nbind = "127.0.0.1:0"\npool = "users"\n';

/** Reports to its subscriber what it is given. */
class Told {
  tell: (all: Instances) => void = () => {};
  readonly #first: Instances;
  signal: AbortSignal | null = null;

  constructor(...first: Instances) {
    this.#first = first;
  }

  subscribe(onSnapshot: (all: Instances) => void, { signal }: { signal: AbortSignal }): void {
    this.tell = onSnapshot;
    this.signal = signal;
    onSnapshot(this.#first);
  }
}

t.test('a registry that reports is followed; counts of those that stay are kept', async (t) => {
  const bed = new Bed();
  const registry = new Told(A, { address: B, weight: 2 }, 'nonsense');
  const discovery = { registry, hold: 100 };
  const balancer = await bed.balancer(t, { backends: [C], discovery });
  t.same(activeOf(balancer), { [C]: 0, [A]: 0, [B]: 0 });
  const held = Array.from({ length: 12 }, () => balancer.pick());
  const before = activeOf(balancer)[B];
  registry.tell([B, { host: '10.0.0.4', port: 80 }]);
  await bed.pass(5_000);
  t.same(bed.told.filter((line) => /added|removed/.test(line)).sort(), [
    `backend-added ${D}`,
    `backend-removed ${A}`,
  ]);
  t.equal(activeOf(balancer)[B], before);
  for (const lease of held) lease.succeeded();
  await balancer.close();
  t.equal(registry.signal?.aborted, true);
});

t.test('a registry that has lost most of them is not believed at once', async (t) => {
  const bed = new Bed();
  const registry = new Told(A, B, C, D);
  const rules = { hold: 100, confirm: '10s' };
  const balancer = await bed.balancer(t, { discovery: { registry, ...rules } });
  registry.tell([]);
  await bed.pass(60_000);
  t.equal(balancer.snapshot().backends.length, 4, 'an empty answer changes nothing');
  registry.tell([A]);
  await bed.pass(5_000);
  t.equal(balancer.snapshot().backends.length, 4, 'not yet');
  await bed.pass(60_000);
  t.same(Object.keys(activeOf(balancer)), [A], 'it has said so for long enough');
});

t.test('an emitter is asked again when it says that something has changed', async (t) => {
  const bed = new Bed();
  const emitter = Object.assign(new EventEmitter(), {
    all: [A] as Instances,
    async getInstances(name: string): Promise<Instances> {
      if (name !== 'users') throw new Error(`no service ${name}`);
      return this.all;
    },
  });
  const balancer = await bed.balancer(t, { name: 'users', discovery: emitter });
  t.same(Object.keys(activeOf(balancer)), [A]);
  emitter.all = [A, B];
  emitter.emit('instances-changed');
  await bed.pass(3_000);
  t.same(Object.keys(activeOf(balancer)), [A, B]);
  await balancer.close();
  t.equal(emitter.listenerCount('instances-changed'), 0);
});

t.test('one pool of the daemon’s file, which is read again by update()', async (t) => {
  const path = join(tempFolder(t), 'sluice.toml');
  const pool = (...addresses: readonly string[]) => {
    const backends = addresses.map(
      (address) => `[[pools.users.backends]]\naddress = "${address}"\n`,
    );
    const health = '[pools.users.health]\nprobe = "none"\n';
    writeFileSync(path, `${LISTENER}${health}${backends.join('')}`);
  };
  pool(A, B);
  const balancer = await balancerFromToml(path, 'users');
  t.teardown(() => balancer.close());
  t.same(Object.keys(activeOf(balancer)), [A, B]);
  pool(B, C);
  await balancer.update();
  await eventually('the new set', () => {
    return Object.keys(activeOf(balancer)).join() === [B, C].join() ? true : undefined;
  });
  t.match(await errorOf(() => balancer.update({ retries: 1 })), { code: 'bad-options' });
  t.match(await errorOf(() => balancerFromToml(path, 'else')), { message: /no such pool/ });
  const missing = await errorOf(() => balancerFromToml('/nowhere.toml', 'users'));
  t.match(missing, { message: /a file at this path; got ENOENT/, code: 'bad-options' });
  writeFileSync(path, `${LISTENER}[pools.users]\npolcy = "p2c"\n`);
  t.match(await errorOf(() => balancer.update()), {
    message: /:5:1: pools\.users\.polcy: unknown/,
  });
});
