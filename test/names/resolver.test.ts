/** The addresses of names, with a name server that answers on demand. */
import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { HostAnswer } from '../../src/names/host_lookup.js';
import { Resolver } from '../../src/names/resolver.js';
import { FakeTime } from '../support/fake_time.js';

const db = (port = 5432) => ({ kind: 'name', host: 'db', port }) as const;
const ip = (n: number) => ipEndpoint(4, `10.0.0.${n}`, 0);
const found = (...hosts: readonly number[]): HostAnswer => ({
  kind: 'found',
  addresses: hosts.map(ip),
  unroutable: [],
});
const NONE: HostAnswer = { kind: 'none', problem: 'there is no such name' };

function bed() {
  const time = new FakeTime();
  const pending: ((answer: HostAnswer) => void)[] = [];
  const changes: string[] = [];
  const down = { is: false };
  const resolver = new Resolver({
    timers: time,
    lookup: () => new Promise((resolve) => pending.push(resolve)),
    changed: (name, before, address) => changes.push(`${name}: ${before} -> ${address}`),
    downNames: () => new Set(down.is ? ['db:5432'] : []),
  });
  const answer = async (what: HostAnswer): Promise<void> => {
    const done = resolver.refresh([db()]);
    pending.shift()?.(what);
    await done;
  };
  return { time, pending, changes, resolver, answer, down };
}

t.test('what the name led to last stays, whatever a lookup brings', async (t) => {
  const { resolver, answer, changes, time, pending } = bed();
  await answer(found(1, 2));
  t.match(resolver.endpoint(db()), { host: '10.0.0.1', port: 5432 });
  await answer(found(2, 1));
  t.match(resolver.endpoint(db()), { host: '10.0.0.1' }, 'the order says nothing');
  await answer(NONE);
  t.match([resolver.endpoint(db()), resolver.problem(db())], [{ host: '10.0.0.1' }, /no such/]);
  await answer({ kind: 'found', addresses: [], unroutable: [ipEndpoint(6, '2001:db8::1', 0)] });
  t.match(resolver.endpoint(db()), { host: '10.0.0.1' }, 'a family that this machine lacks');
  t.match(resolver.problem(db()), /2001:db8::1, for which this machine has no route/);
  const silent = resolver.refresh([db()]);
  await time.pass(3_000);
  await silent;
  t.match([resolver.endpoint(db()), resolver.problem(db())], [{ host: '10.0.0.1' }, /within 3 s/]);
  t.same(changes, []);
  pending.shift()?.(NONE);
  await time.pass(1);
  await answer(found(3));
  t.match([resolver.endpoint(db()), resolver.problem(db())], [{ host: '10.0.0.3' }, null]);
  t.same(changes, ['db:5432: 10.0.0.1:5432 -> 10.0.0.3:5432']);
});

t.test('while one address is down the others have their turn, and then that one', async (t) => {
  const { resolver, answer, down, changes } = bed();
  await answer(found(1, 2, 3));
  down.is = true;
  for (const next of [2, 3, 1, 2]) {
    await answer(found(1, 2, 3));
    t.match(resolver.endpoint(db()), { host: `10.0.0.${next}` });
  }
  down.is = false;
  await answer(found(1, 2, 3));
  t.match(resolver.endpoint(db()), { host: '10.0.0.2' }, 'one that serves stays');
  down.is = true;
  await answer(found(2));
  t.match(resolver.endpoint(db()), { host: '10.0.0.2' }, 'it is the only one');
  await answer(NONE);
  t.match(resolver.endpoint(db()), { host: '10.0.0.2' });
  t.equal(changes.length, 4);
});

t.test('an answer that comes too late is there for the next time', async (t) => {
  const { resolver, time, pending } = bed();
  const first = resolver.refresh([db()]);
  await time.pass(3_000);
  await first;
  t.equal(resolver.endpoint(db()), null);
  const second = resolver.refresh([db()]);
  t.equal(pending.length, 1, 'one lookup at a time for a name');
  pending[0]?.(found(1));
  await second;
  t.match(resolver.endpoint(db()), { host: '10.0.0.1' });
  const third = resolver.refresh([db()]);
  await time.pass(3_000);
  await third;
  pending[1]?.(found(2));
  await time.pass(1);
  const fourth = resolver.refresh([db()]);
  await time.pass(3_000);
  await fourth;
  t.match(resolver.endpoint(db()), { host: '10.0.0.2' }, 'however slow the name server always is');
});

t.test('what was asked for ahead holds up no other, answered or not', async (t) => {
  const { resolver, pending, time } = bed();
  const asked = resolver.ask([db(1), db(2)]);
  t.equal(pending.length, 1);
  pending[0]?.(found(1));
  await asked;
  t.equal(resolver.endpoint(db()), null, 'nothing has changed yet');
  await resolver.refresh([db()]);
  t.match(resolver.endpoint(db()), { host: '10.0.0.1' });
  const silent = resolver.ask([db()]);
  await time.pass(3_000);
  await silent;
  await resolver.refresh([db()]);
  t.match(resolver.problem(db()), /within 3 s/);
  t.equal(pending.length, 2, 'asked for once each time');
});

t.test('one host at two ports is asked for once, and known at a third', async (t) => {
  const { resolver, pending } = bed();
  const done = resolver.refresh([db(1), db(2)]);
  t.equal(pending.length, 1);
  pending[0]?.(found(1));
  await done;
  t.match(
    [1, 2, 3].map((port) => resolver.endpoint(db(port))),
    [{ port: 1 }, { port: 2 }, { port: 3 }],
  );
});

t.test('without a name nothing is looked up, and no backend is looked at', async () => {
  const noName = (): never => {
    throw new Error('there is no name');
  };
  const timers = new FakeTime();
  const deps = { timers, lookup: noName, changed: () => {}, downNames: noName };
  await new Resolver(deps).refresh([ipEndpoint(4, '10.0.0.1', 5432)]);
});
