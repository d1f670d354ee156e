/** Behind a trusted proxy the client of the header is limited, as soon as the header is there. */
import t from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { LimitsSpec } from '../../../src/core/spec.js';
import { encodeV2 } from '../../../src/session/proxy_protocol/encode.js';
import { NO_LIMITS } from '../../support/limits.js';
import { type Bed, bed, NOTHING } from './bed.js';

const TWO: LimitsSpec = { ...NO_LIMITS, sessionsPerClient: 2 };
const PROXIES = { trustedProxies: [{ family: 4, host: '10.9.9.0', prefixBits: 24 }] } as const;

const limited = (limits: LimitsSpec, more: object = {}) => ({
  listener: { limits, ...PROXIES, ...more },
});
const peer = (host: string, port = 4711): IpEndpoint => ipEndpoint(4, host, port);

/** A proxy brings a client, and sends nothing but its header. */
function comes(test: Bed, host: string): PairId {
  const pair = test.accept(0, peer('10.9.9.1'));
  const destination = ipEndpoint(4, '203.0.113.1', 443);
  const header = encodeV2({ transport: 'stream', source: peer(host), destination, tlvs: [] });
  test.worker(0).tcp.clientSends(pair, header);
  return pair;
}

t.test('the client of the header is limited, not the proxy', async (t) => {
  const test = await bed(limited(TWO));
  const behind = (host: string): string => {
    const state = test.state(comes(test, host))?.split(' ')[0] ?? '';
    test.turn();
    return state;
  };
  t.same(['203.0.113.7', '203.0.113.7', '203.0.113.7', '203.0.113.8'].map(behind), [
    'dialling',
    'dialling',
    'closing',
    'dialling',
  ]);
  t.same(test.causes, ['too-many-sessions']);
  t.match(test.records, [{ client: '203.0.113.7:4711' }]);
  t.match(test.remains(), { sessions: 3, listener: 3, clients: 3 });
});

t.test('where the header names no client the proxy is the client', async (t) => {
  const test = await bed(limited(TWO));
  for (let n = 0; n < 3; n++) {
    const pair = test.accept(0, peer('10.9.9.1'));
    test.worker(0).tcp.clientSends(pair, Buffer.from('PROXY UNKNOWN\r\n'));
    test.turn();
  }
  t.same(test.causes, ['too-many-sessions']);
  t.match(test.records, [{ client: '10.9.9.1:4711' }]);
  t.match(test.remains(), { sessions: 2, clients: 2 });
});

t.test('a refused client waits for its end, too', async (t) => {
  const test = await bed(
    limited({ ...TWO, sessionsPerClient: 1, action: 'delay', delayMs: 1_000 }),
  );
  const [, , goer] = [0, 1, 2].map(() => {
    const pair = comes(test, '203.0.113.7');
    test.turn();
    return pair;
  });
  t.match(test.remains(), { pairs: 3, clients: 1 });
  await test.pass(900);
  t.match(test.remains(), { pairs: 3 });
  if (goer !== undefined) test.worker(0).tcp.ends(goer, { kind: 'reset', by: 'client' });
  test.turn();
  await test.pass(200);
  t.match(test.remains(), { sessions: 1, pairs: 1, listener: 1, clients: 1 });
  t.same(test.causes, ['too-many-sessions', 'too-many-sessions']);
});

t.test('a client counts from its header on, whatever is read behind it', async (t) => {
  const listener = { postgres: { cancel: 'pass', strict: true }, helloTimeoutMs: 1_000 } as const;
  const one: LimitsSpec = { ...TWO, sessionsPerClient: 1, action: 'delay' };
  const test = await bed(limited(one, listener));
  const { tcp } = test.worker(0);
  const named = (): PairId => comes(test, '203.0.113.7');
  const first = named();
  t.match(test.remains(), { sessions: 1, clients: 1 });
  const second = named();
  t.match(test.state(second), /^idle/, 'it is not listened to any more');
  tcp.clientSends(second, Buffer.from('but it goes on'));
  await test.pass(1_200);
  t.equal(test.state(first), null);
  t.equal(test.ended('hello-timeout'), 1);
  t.match(test.remains(), { pairs: 1, clients: 0 }, 'a client that was not read frees its place');
  tcp.ends(named(), { kind: 'reset', by: 'client' });
  tcp.clientSends(named(), Buffer.from('no Postgres'));
  test.turn();
  t.equal(test.ended('not-postgres'), 1);
  await test.pass(5_000);
  t.same(test.causes, ['hello-timeout', 'client-reset', 'not-postgres', 'too-many-sessions']);
  t.same(test.remains(), NOTHING);
});
