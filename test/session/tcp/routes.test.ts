/** A session goes where its route leads: known before a byte, by its hello, or by its start. */
import t from 'tap';
import type { PairId, PoolId, SeriesId } from '../../../src/core/brand.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { RoutePlan } from '../../../src/core/plan.js';
import { EVERY_SESSION } from '../../../src/core/routes.js';
import type { ListenerSettings, RouteConditions } from '../../../src/core/spec.js';
import { encodeV2 } from '../../../src/session/proxy_protocol/encode.js';
import { clientHello } from '../../support/client_hello.js';
import { type Bed, backendPlan, bed, NOTHING, POOL } from './bed.js';

const ORDERS = 1 as PoolId;
const POSTGRES = { cancel: 'route', strict: true } as const;
const SSL = Buffer.from('0000000804d2162f', 'hex');
const GSS = Buffer.from('0000000804d21630', 'hex');
const YES = 0x53;

const to = (pool: PoolId | null, conditions: Partial<RouteConditions>): RoutePlan => ({
  conditions: { ...EVERY_SESSION, ...conditions },
  pool,
  series: (20 + (pool ?? 9)) as SeriesId,
});

/** Pool `pg` has b0 and is for the rest; `orders` has b1. */
async function routed(
  routes: readonly RoutePlan[],
  settings: Partial<ListenerSettings> = {},
  own: PoolId | null = POOL,
): Promise<Bed> {
  const test = await bed();
  const pg = test.pool({ backends: [backendPlan(0)] });
  const orders = { ...pg, id: ORDERS, name: 'orders', backends: [backendPlan(1)] };
  const all = [...routes, to(own, {})];
  return test.apply({
    pools: [pg, orders],
    listeners: [test.listener({ pool: own, routes: all, ...settings })],
  });
}

const start = (parameters: string): Buffer => {
  const rest = Buffer.from(parameters);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + rest.length);
  head.writeUInt32BE(0x3_0000, 4);
  return Buffer.concat([head, rest]);
};
const hello = (name: string | null, alpn: readonly string[] = []): Buffer =>
  clientHello({
    names: name === null ? null : [Buffer.from(name)],
    alpn: alpn.length === 0 ? null : alpn,
    recordBytes: 50,
  });
const named = (...serverNames: string[]): Partial<RouteConditions> => ({ serverNames });

function says(test: Bed, ...texts: readonly Buffer[]): PairId {
  const pair = test.accept();
  for (const text of texts) test.worker(0).tcp.clientSends(pair, text);
  return pair;
}

t.test('by the name in the hello, which goes to the backend as it came', async (t) => {
  const test = await routed([to(ORDERS, named('orders.example'))]);
  const bytes = hello('Orders.Example.', ['h2']);
  const pair = says(test, bytes.subarray(0, 9), bytes.subarray(9, 40));
  t.equal(test.state(pair), 'early -');
  test.worker(0).tcp.clientSends(pair, bytes.subarray(40));
  t.equal(test.state(pair), 'dialling 10.0.0.1:5432');
  t.same(test.worker(0).tcp.pair(pair).held, bytes);
  t.match(test.state(says(test, hello('other.example'))), '10.0.0.0');
  t.match(test.state(says(test, hello(null))), '10.0.0.0');
  t.match(test.state(says(test, Buffer.from('no hello at all'))), '10.0.0.0');
});

t.test('by the client, before a byte, and by the one that a PROXY header names', async (t) => {
  const clients = [{ family: 4, host: '203.0.113.0', prefixBits: 24 } as const];
  const test = await routed([to(ORDERS, { clients })]);
  t.match(test.state(test.accept(0, ipEndpoint(4, '203.0.113.7', 1))), 'dialling 10.0.0.1');
  t.match(test.state(test.accept()), 'dialling 10.0.0.0');
  const proxied = await routed([to(ORDERS, { clients })], {
    trustedProxies: [{ family: 4, host: '198.51.100.0', prefixBits: 24 }],
  });
  const source = ipEndpoint(4, '203.0.113.7', 1);
  const header = encodeV2({ transport: 'stream', source, destination: source, tlvs: [] });
  t.match(proxied.state(says(proxied, Buffer.from(header))), 'dialling 10.0.0.1');
});

t.test('a client that has no route is refused, in the words of its protocol', async (t) => {
  const postgres = { postgres: POSTGRES };
  const tls = await routed([to(ORDERS, named('orders.example'))], {}, null);
  let pair = says(tls, hello('other.example'));
  t.same([...tls.records], [], 'it ends when it has the message');
  t.same(tls.worker(0).tcp.pair(pair).answers, Buffer.from('15030300020270', 'hex'));
  t.equal(tls.worker(0).tcp.pair(pair).how, 'flush');
  tls.turn();
  t.match(tls.records, [{ pool: null, policy: null, backend: null }]);
  t.match(tls.records, [{ end: { by: 'sluice', stage: 'select', cause: 'no-route' } }]);
  const pg = await routed([to(ORDERS, { databases: ['orders'] })], postgres, null);
  pair = says(pg, start('user\0me\0database\0other\0\0'));
  t.match(pg.worker(0).tcp.pair(pair).answers.toString('latin1'), /C08004\0M.*no-route/);
  const plain = await routed([to(ORDERS, named('orders.example'))], {}, null);
  pair = says(plain, Buffer.from('plain text'));
  t.equal(plain.worker(0).tcp.pair(pair).how, 'reset');
  for (const test of [tls, pg, plain]) {
    test.turn();
    t.equal(test.ended('no-route'), 1);
    t.same(test.remains(), NOTHING);
  }
});

t.test('a route may refuse, and so may a listener without any', async (t) => {
  const test = await routed([to(null, named('closed.example'))]);
  t.equal(test.worker(0).tcp.pair(says(test, hello('closed.example'))).how, 'flush');
  t.match(test.state(says(test, hello('open.example'))), 'dialling');
  await test.apply({ listeners: [test.listener({ pool: null, routes: [] })] });
  t.equal(test.state(test.accept()), null);
  t.same(test.causes, ['no-route', 'no-route']);
});

t.test('a client without a hello in time is gone, and one with too large a hello', async (t) => {
  const test = await routed([to(ORDERS, named('orders.example'))], { helloSizeBytes: 100 });
  says(test, hello('orders.example').subarray(0, 60));
  await test.pass(3_010, 100);
  t.same(test.causes, ['hello-timeout']);
  says(test, hello('orders.example'));
  test.turn();
  t.same(test.causes, ['hello-timeout', 'no-route']);
  t.match(test.records, [{ pool: null }, { pool: null }]);
  t.same(test.remains(), NOTHING);
});

t.test('a Postgres session goes by what it starts with', async (t) => {
  const test = await routed(
    [
      to(ORDERS, { databases: ['orders_*'] }),
      to(ORDERS, { users: ['report'], applications: ['psql'] }),
    ],
    { postgres: POSTGRES },
  );
  const goes = (parameters: string) => test.state(says(test, start(parameters)));
  t.match(goes('user\0me\0database\0orders_1\0\0'), '10.0.0.1');
  t.match(goes('user\0orders_me\0\0'), '10.0.0.1', 'its user is its database');
  t.match(goes('user\0report\0database\0x\0application_name\0psql\0\0'), '10.0.0.1');
  t.match(goes('user\0report\0database\0x\0application_name\0other\0\0'), '10.0.0.0');
  // Of two the last one counts, as for Postgres.
  t.match(goes('user\0me\0database\0orders_1\0database\0x\0\0'), '10.0.0.0');
  says(test, start('user\0me'));
  says(test, start('user\0me\0\0more'));
  test.turn();
  t.same(test.causes, ['not-postgres', 'not-postgres']);
});

t.test('where a start is read there is no encryption, and the client is told so', async (t) => {
  const test = await routed([to(ORDERS, { databases: ['orders'] })], { postgres: POSTGRES });
  const { tcp } = test.worker(0);
  const pair = says(test, GSS, SSL);
  t.equal(tcp.pair(pair).answers.toString(), 'NN');
  tcp.clientSends(pair, start('user\0me\0database\0orders\0\0'));
  t.match(test.state(pair), 'dialling 10.0.0.1');
  t.same(tcp.pair(pair).held, start('user\0me\0database\0orders\0\0'));
});

t.test(
  'where a hello is read the client is promised TLS, and the backend asked for it',
  async (t) => {
    const test = await routed([to(ORDERS, named('orders.example'))], { postgres: POSTGRES });
    const { tcp } = test.worker(0);
    const pair = says(test, GSS, SSL);
    t.equal(tcp.pair(pair).answers.toString(), 'NS');
    tcp.clientSends(pair, hello('orders.example'));
    t.match(test.state(pair), 'dialling 10.0.0.1');
    t.same(tcp.pair(pair).prelude, SSL);
    tcp.dialSucceeds(pair);
    t.match(test.state(pair), 'asking');
    tcp.backendAnswers(pair, YES);
    t.match(test.state(pair), 'relaying');
    t.same(tcp.pair(pair).held, hello('orders.example'), 'the request is not said twice');
  },
);

t.test('a backend without TLS, a silent one and one that leaves end the session', async (t) => {
  const test = await routed([to(ORDERS, named('orders.example'))], { postgres: POSTGRES });
  const { tcp } = test.worker(0);
  const asking = (): PairId => {
    const pair = says(test, SSL, hello('orders.example'));
    tcp.dialSucceeds(pair);
    return pair;
  };
  for (const byte of [0x4e, 0x45, null]) {
    tcp.backendAnswers(asking(), byte);
    test.turn();
  }
  const without = { by: 'backend', stage: 'dial', cause: 'backend-without-tls' };
  t.match(test.records, [{ pool: 'orders', backend: 'b1', end: without }, { end: without }]);
  asking();
  await test.pass(5_010, 100);
  tcp.ends(asking(), { kind: 'reset', by: 'backend' });
  tcp.ends(asking(), { kind: 'client-gone' });
  t.same(test.causes.slice(2), ['backend-reset', 'dial-failed', 'backend-reset', 'client-gone']);
  t.same(test.remains(), NOTHING);
});

t.test('one that was promised TLS and speaks something else is no Postgres client', async (t) => {
  const test = await routed([to(ORDERS, named('orders.example'))], { postgres: POSTGRES });
  says(test, SSL, start('user\0me\0\0'));
  test.turn();
  t.same(test.causes, ['not-postgres']);
});

t.test(
  'with routes by name a plain start and direct TLS go their ways, and a cancel too',
  async (t) => {
    const test = await routed([to(ORDERS, named('orders.example'))], { postgres: POSTGRES });
    t.match(test.state(says(test, start('user\0me\0\0'))), 'dialling 10.0.0.0');
    t.match(test.state(says(test, hello('orders.example', ['postgresql']))), 'dialling 10.0.0.1');
    const cancel = Buffer.concat([Buffer.from('0000001004d2162e', 'hex'), Buffer.alloc(8, 7)]);
    says(test, cancel);
    t.match(test.worker(0).cancels, [{ header: { transport: 'stream' } }]);
    t.same(Buffer.from(test.worker(0).cancels[0]?.request ?? []), cancel);
  },
);

t.test('sessions count for the pool of their route, on the way and at the end', async (t) => {
  const test = await routed([to(ORDERS, named('orders.example'))]);
  const { tcp } = test.worker(0);
  const pair = says(test, hello('orders.example'));
  tcp.dialFails(pair, 'refused');
  test.turn();
  t.match(test.records, [{ pool: 'orders', tried: ['b1'], end: { cause: 'dial-failed' } }]);
  t.equal(test.of(21 as SeriesId, 'dial-failed'), 1);
  t.equal(test.ended('dial-failed'), 0);
  t.same(test.remains(), NOTHING);
});

t.test(
  'a reload leads those that wait elsewhere, and refuses those that have no route any more',
  async (t) => {
    const test = await routed([to(ORDERS, named('orders.example'))]);
    const { tcp } = test.worker(0);
    const [pg, orders] = test.plan.pools;
    if (pg === undefined || orders === undefined) throw new Error('there are two pools');
    const full = { ...orders, settings: { ...orders.settings, heldAtMost: 10 } };
    await test.apply({ pools: [pg, full] });
    const pairs = [says(test, hello('orders.example')), says(test, hello('orders.example'))];
    for (const pair of pairs) t.equal(test.state(pair), 'idle -');
    const routes = [to(POOL, named('orders.example')), to(POOL, {})];
    await test.apply({ listeners: [test.listener({ routes })] });
    for (const pair of pairs) t.match(test.state(pair), 'dialling 10.0.0.0');
    tcp.dialFails(pairs[0] as PairId, 'refused');
    test.turn();
    t.match(test.records, [{ pool: 'pg' }]);
    await test.apply({ listeners: [test.listener({ pool: ORDERS, routes: [] })] });
    says(test, Buffer.from('x'));
    await test.apply({ listeners: [test.listener({ pool: null, routes: [] })] });
    t.equal(test.causes.at(-1), 'no-route');
  },
);
