import t from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { encodeV2 } from '../../../src/session/proxy_protocol/encode.js';
import { type Bed, bed, KEY, NOTHING } from './bed.js';

const PROXY = ipEndpoint(4, '10.9.9.9', 4711);
const STRANGER = ipEndpoint(4, '10.9.8.9', 4711);
const TRUSTED = { trustedProxies: [{ family: 4, host: '10.9.9.0', prefixBits: 24 }] } as const;
const CLIENT = ipEndpoint(4, '203.0.113.7', 33_333);
const HEADER = encodeV2({
  transport: 'stream',
  source: CLIENT,
  destination: ipEndpoint(4, '203.0.113.1', 443),
  tlvs: [],
});

function come(test: Bed): PairId {
  return test.accept(0, PROXY);
}

t.test('behind a trusted proxy nothing is dialled before the header is there', async (t) => {
  const test = await bed({ listener: TRUSTED, pool: { sendProxyProtocol: 'v2' } });
  const pair = come(test);
  const { tcp } = test.worker(0);
  tcp.clientSends(pair, HEADER.subarray(0, 10));
  t.equal(test.state(pair), 'early -');
  tcp.clientSends(pair, Buffer.concat([HEADER.subarray(10), Buffer.from('hello')]));
  t.match(test.state(pair), /^dialling/);
  t.equal(tcp.pair(pair).held.toString(), 'hello', 'the rest is kept for the backend');
  t.same(tcp.pair(pair).prelude, Buffer.from(HEADER), 'what the proxy sent passes on');
  tcp.ends(pair, { kind: 'client-gone' });
  t.match(test.records, [{ client: '203.0.113.7:33333', local: '203.0.113.1:443' }]);
});

t.test('a peer that is not trusted is reset, and nothing of it is read', async (t) => {
  const test = await bed({ listener: TRUSTED });
  test.accept(0, STRANGER);
  t.match(test.records, [{ end: { by: 'sluice', stage: 'accept', cause: 'untrusted-proxy' } }]);
  t.equal(test.ended('untrusted-proxy'), 1);
  t.same(test.remains(), NOTHING);
});

t.test('a header that is not complete within 3 s ends the session', async (t) => {
  const test = await bed({ listener: TRUSTED });
  const pair = come(test);
  for (let second = 0; second < 2; second++) {
    await test.pass(1000, 100);
    test.worker(0).tcp.clientSends(pair, HEADER.subarray(second, second + 1));
  }
  await test.pass(990);
  t.equal(test.state(pair), 'early -');
  await test.pass(20);
  t.match(test.records, [{ end: { stage: 'accept', cause: 'proxy-header-timeout' } }]);
  t.same(test.remains(), NOTHING);
});

t.test('what a header may take is the listener’s to say: time and bytes', async (t) => {
  const test = await bed({
    listener: { ...TRUSTED, helloTimeoutMs: 500, helloSizeBytes: 20 },
  });
  come(test);
  await test.pass(490);
  t.same(test.causes, []);
  await test.pass(20);
  const { tcp } = test.worker(0);
  tcp.clientSends(come(test), HEADER.subarray(0, 19));
  t.same(test.causes, ['proxy-header-timeout']);
  tcp.clientSends(come(test), HEADER);
  test.turn();
  t.same(test.causes, ['proxy-header-timeout', 'bad-proxy-header']);
});

t.test('the time limit of the header ends with the header', async (t) => {
  const test = await bed({ listener: TRUSTED });
  const pair = come(test);
  test.worker(0).tcp.clientSends(pair, HEADER);
  test.worker(0).tcp.dialSucceeds(pair);
  await test.pass(10_000, 500);
  t.match(test.state(pair), /^relaying/);
});

t.test('a bad header, and one for datagrams, is reset', async (t) => {
  const datagram = encodeV2({
    transport: 'dgram',
    source: CLIENT,
    destination: PROXY,
    tlvs: [],
  });
  for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n'), datagram]) {
    const test = await bed({ listener: TRUSTED });
    const pair = come(test);
    test.worker(0).tcp.clientSends(pair, bytes);
    t.equal(test.worker(0).tcp.pair(pair).how, 'reset');
    test.turn();
    t.same(test.causes, ['bad-proxy-header']);
    t.same(test.remains(), NOTHING);
  }
});

t.test(
  'while a header is read, a reload may remove the pool: the session is refused',
  async (t) => {
    const test = await bed({ listener: TRUSTED, pool: { queueSize: 5 } });
    const pair = come(test);
    await test.apply({ listeners: [], pools: [] });
    test.worker(0).tcp.clientSends(pair, HEADER);
    test.turn();
    t.same(test.causes, ['no-backend']);
    t.equal(test.worker(0).tcp.sockets.has(KEY), false);
    t.same(test.remains(), NOTHING);
  },
);
