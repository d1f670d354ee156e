/** Which route a client takes. */
import t from 'tap';
import { ipEndpoint, peerAt } from '../../src/core/endpoint.js';
import { below, seededRandom } from '../../src/core/random.js';
import {
  EVERY_SESSION,
  fitsGlob,
  poolsOf,
  type RouteFacts,
  Routes,
} from '../../src/core/routes.js';
import type { RouteConditions } from '../../src/core/spec.js';
import { seed } from '../support/seed.js';

const NO_FACTS: RouteFacts = {
  client: peerAt(ipEndpoint(4, '198.51.100.7', 4711)),
  serverName: null,
  alpn: [],
  database: null,
  user: null,
  application: null,
};

const routes = (...conditions: Partial<RouteConditions>[]) =>
  new Routes(conditions.map((one) => ({ conditions: { ...EVERY_SESSION, ...one } })));
const taken = (by: Routes, asking: Partial<RouteFacts>) => by.find({ ...NO_FACTS, ...asking });

t.test('the first that fits decides', async (t) => {
  const by = routes(
    { serverNames: ['a.example'] },
    { serverNames: ['a.example', 'b.example'] },
    {},
  );
  t.equal(taken(by, { serverName: 'a.example' }), 0);
  t.equal(taken(by, { serverName: 'b.example' }), 1);
  t.equal(taken(by, { serverName: 'c.example' }), 2);
  t.equal(taken(by, {}), 2);
  t.equal(taken(routes(), {}), -1);
  t.equal(taken(routes({ alpn: ['h2'] }), {}), -1);
});

t.test('"*." stands for one label or more, and not for none', async (t) => {
  const by = routes({ serverNames: ['*.example.org'] });
  for (const serverName of ['db.example.org', 'a.b.c.example.org']) {
    t.equal(taken(by, { serverName }), 0, serverName);
  }
  for (const serverName of [
    'example.org',
    'badexample.org',
    '.example.org',
    'db.example.com',
    '*.example.org.x',
  ]) {
    t.equal(taken(by, { serverName }), -1, serverName);
  }
});

t.test('every condition that is there must hold, of a list one value', async (t) => {
  const by = routes({
    serverNames: ['a.example'],
    alpn: ['h2', 'postgresql'],
    clients: [
      { family: 4, host: '10.0.0.0', prefixBits: 8 },
      { family: 6, host: '2001:db8::', prefixBits: 32 },
    ],
  });
  const asking = {
    serverName: 'a.example',
    alpn: ['x', 'h2'],
    client: peerAt(ipEndpoint(4, '10.1.2.3', 1)),
  };
  t.equal(taken(by, asking), 0);
  t.equal(taken(by, { ...asking, client: peerAt(ipEndpoint(6, '2001:db8::7', 1)) }), 0);
  t.equal(taken(by, { ...asking, client: peerAt(ipEndpoint(6, '::ffff:10.1.2.3', 1)) }), 0);
  t.equal(taken(by, { ...asking, alpn: ['x'] }), -1);
  t.equal(taken(by, { ...asking, serverName: 'b.example' }), -1);
  t.equal(taken(by, { ...asking, client: peerAt(ipEndpoint(4, '11.1.2.3', 1)) }), -1);
  t.equal(taken(by, { ...asking, client: { kind: 'unix', path: '' } }), -1);
});

t.test('database, user and application are patterns', async (t) => {
  const by = routes(
    { databases: ['orders', 'orders_*'] },
    { users: ['report?'] },
    { applications: ['*'] },
  );
  t.equal(taken(by, { database: 'orders_2026' }), 0);
  t.equal(taken(by, { database: 'Orders', user: 'reports' }), 1);
  t.equal(taken(by, { database: 'x', user: 'report', application: '' }), 2);
  t.equal(taken(by, { database: 'x', user: 'report' }), -1);
});

t.test('a pattern fits what it says, and takes no time to say no', async (t) => {
  for (const [glob, text] of [
    ['a*b*c', 'axxbyyc'],
    ['*', ''],
    ['**', 'x'],
    ['?*', 'x'],
    ['a*', 'a'],
  ]) {
    t.ok(fitsGlob(glob ?? '', text ?? ''), `${glob} ${text}`);
  }
  for (const [glob, text] of [
    ['a*b', 'abc'],
    ['?', ''],
    ['', 'x'],
    ['a?', 'a'],
    ['*a', 'b'],
  ]) {
    t.notOk(fitsGlob(glob ?? '', text ?? ''), `${glob} ${text}`);
  }
  t.notOk(fitsGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(63)));
  for (let at = 0; at < 2_000; at++) {
    const random = seededRandom(seed + at);
    const draw = (letters: string, most: number) =>
      Array.from(
        { length: below(random, most) },
        () => letters[below(random, letters.length)],
      ).join('');
    const glob = draw('ab*?', 8);
    const text = draw('ab', 8);
    const pattern = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
    if (fitsGlob(glob, text) !== pattern.test(text)) t.fail(`${glob} ${text}`);
  }
});

t.test('thousands of routes by name are no list to walk', async (t) => {
  const by = routes(
    ...Array.from({ length: 5_000 }, (_, index) => ({ serverNames: [`h${index}.example`] })),
  );
  const longest = 'a.'.repeat(126);
  const began = process.cpuUsage();
  for (let index = 0; index < 200; index++) taken(by, { serverName: `${longest}${index}` });
  const { user } = process.cpuUsage(began);
  t.ok(user < 1_000_000, `${user / 200} µs each`);
  t.equal(taken(by, { serverName: 'h4999.example' }), 4_999);
});

t.test('whatever routes ask for, it is the first of the list that fits', async (t) => {
  const names = ['a.example', '*.example', 'b.a.example', '*.a.example', null];
  for (let round = 0; round < 300; round++) {
    const random = seededRandom(seed + round);
    const some = <Item>(items: readonly Item[]): Item => items[below(random, items.length)] as Item;
    const list = Array.from({ length: 1 + below(random, 8) }, () => {
      const serverNames = [some(names), some(names)].filter((name) => name !== null);
      const databases = random.next() < 0.4 ? [some(['x', 'y'])] : [];
      return { serverNames, databases };
    });
    const asking = {
      serverName: some(['a.example', 'b.a.example', 'c.a.example', 'd.example', 'e', null]),
      database: some(['x', 'y', null]),
    };
    const alone = list.findIndex((one) => taken(routes(one), asking) === 0);
    if (taken(routes(...list), asking) !== alone) t.fail(`${JSON.stringify({ list, asking })}`);
  }
});

t.test('a listener leads to the pools of its routes and to its own', async (t) => {
  const led = poolsOf({ pool: 'own', routes: [{ pool: 'a' }, { pool: null }, { pool: 'a' }] });
  t.same(led, ['a', 'own']);
  t.same(poolsOf({ pool: null, routes: [] }), []);
});
