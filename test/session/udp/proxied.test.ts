/** PROXY protocol v2 in every datagram, inwards and outwards. */
import t from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { ListenerPlan } from '../../../src/core/plan.js';
import { encodeV1, encodeV2, LOCAL_V2 } from '../../../src/session/proxy_protocol/encode.js';
import type { ProxyHeader, Tlv } from '../../../src/session/proxy_protocol/header.js';
import { parse } from '../../../src/session/proxy_protocol/parse.js';
import { type Change, changed } from '../../support/changed.js';
import { NO_LIMITS } from '../../support/limits.js';
import { policyNamed } from '../../support/policies.js';
import { bed, client, KEY, NOTHING } from './bed.js';

const proxy = ipEndpoint(4, '10.9.0.1', 4000);
const TRUSTED: Change<ListenerPlan> = {
  trustedProxies: [{ family: 4, host: '10.9.0.0', prefixBits: 16 }],
};
const DESTINATION = ipEndpoint(4, '203.0.113.53', 53);

function header(source: IpEndpoint, transport: 'dgram' | 'stream', tlvs: Tlv[] = []): ProxyHeader {
  return { transport, source, destination: DESTINATION, tlvs };
}
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const from = (source: IpEndpoint): string => latin1(encodeV2(header(source, 'dgram')));

t.test('each datagram to the backend begins with the header of its client', async (t) => {
  const test = await bed({ pool: { sendProxyProtocol: 'v2' } });
  test.send(client(1), 'one');
  test.send(client(1), 'two');
  for (const [index, text] of ['one', 'two'].entries()) {
    const datagram = Buffer.from(test.engine.upstream[index]?.text ?? '', 'latin1');
    const parsed = parse(datagram);
    t.match(parsed, {
      kind: 'header',
      transport: 'dgram',
      source: client(1),
      destination: ipEndpoint(4, '192.0.2.1', KEY),
    });
    t.equal(parsed.kind === 'header' && latin1(datagram.subarray(parsed.length)), text);
  }
  t.equal(test.total('bytesIn'), 0, 'not swept yet');
  await test.pass(300);
  t.equal(test.total('bytesIn'), 6, 'headers are not counted');
});

t.test('behind a trusted proxy the header is taken off and distinguishes clients', async (t) => {
  const test = await bed({ listener: TRUSTED });
  test.send(proxy, `${from(client(1))}one`);
  test.send(proxy, `${from(client(2))}two`);
  test.send(proxy, `${from(client(1))}`);
  t.same(
    test.engine.upstream.map(({ text }) => text),
    ['one', 'two', ''],
  );
  t.equal(test.flows.count, 2);
  t.not(test.engine.upstream[0]?.to, test.engine.upstream[1]?.to);
  t.equal(test.engine.upstream[0]?.to, test.engine.upstream[2]?.to);
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.match(test.records[0], { client: '198.51.100.0:10001', local: '203.0.113.53:53' });
});

t.test('what a trusted proxy sent passes on, its TLVs too', async (t) => {
  const test = await bed({ listener: TRUSTED, pool: { sendProxyProtocol: 'v2' } });
  const tlvs = [
    { type: 0x02, value: Buffer.from('a.example') },
    { type: 0x03, value: new Uint8Array(4) },
  ];
  test.send(proxy, `${latin1(encodeV2(header(client(7), 'dgram', tlvs)))}x`);
  const parsed = parse(Buffer.from(test.engine.upstream[0]?.text ?? '', 'latin1'));
  t.match(parsed, {
    source: client(7),
    destination: DESTINATION,
    tlvs: [{ type: 2 }, { type: 3 }],
  });
});

t.test('LOCAL counts with the real addresses', async (t) => {
  const test = await bed({ listener: TRUSTED });
  test.send(proxy, `${latin1(LOCAL_V2)}probe`);
  t.equal(test.engine.upstream[0]?.text, 'probe');
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.match(test.records, [{ client: '10.9.0.1:4000', local: '192.0.2.1:53' }]);
});

t.test('the limits of a client are for the real address behind LOCAL', async (t) => {
  const limits = { ...NO_LIMITS, sessionsPerClient: 1 };
  const test = await bed({ listener: { ...TRUSTED, limits } });
  for (const port of [4_001, 4_002]) {
    test.send(ipEndpoint(4, '10.9.0.1', port), `${latin1(LOCAL_V2)}x`);
  }
  t.equal(test.flows.count, 1);
  t.equal(test.drops('too-many-sessions'), 1);
});

t.test('a peer that is not trusted is refused, whatever it sends', async (t) => {
  const test = await bed({ listener: TRUSTED });
  test.send(client(1), `${from(client(2))}x`);
  test.send(client(1), 'x');
  t.equal(test.drops('untrusted-proxy'), 2);
  t.same(test.remains(), NOTHING);
});

t.test('a datagram without a whole and valid header of UDP is dropped', async (t) => {
  const test = await bed({ listener: TRUSTED });
  const good = from(client(1));
  const bad = [
    'payload only',
    '',
    good.slice(0, -1),
    good.slice(0, 12),
    latin1(encodeV2(header(client(1), 'stream'))),
    latin1(encodeV1(header(client(1), 'stream'))),
    'PROXY UNKNOWN\r\n',
  ];
  for (const text of bad) test.send(proxy, text);
  t.equal(test.drops('bad-proxy-header'), bad.length);
  t.same(test.engine.upstream, []);
});

t.test('each datagram is parsed by itself: a later one without a header is dropped', async (t) => {
  const test = await bed({ listener: TRUSTED });
  test.send(proxy, `${from(client(1))}x`);
  test.send(proxy, 'x');
  t.equal(test.engine.upstream.length, 1);
  t.equal(test.drops('bad-proxy-header'), 1);
});

t.test('source-hash and the cap look at the proxied client', async (t) => {
  const test = await bed({
    backends: 5,
    listener: TRUSTED,
    pool: { policy: policyNamed('source-hash', { balanceFactor: 0 }) },
  });
  for (let index = 0; index < 50; index++) {
    test.send(proxy, `${from(ipEndpoint(4, `198.51.100.${index}`, 1))}x`);
  }
  t.ok(new Set(test.engine.upstream.map(({ to }) => to)).size > 1);
});

t.test(
  'a reload that switches headers on ends the flows and reads headers from then on',
  async (t) => {
    const test = await bed();
    test.send(proxy, 'x');
    await test.flows.listeners.apply(changed(test.listenerPlan, TRUSTED), test.pool);
    t.equal(test.flows.count, 0);
    t.equal(test.engine.sockets.get(KEY), 'proxied');
    test.send(proxy, 'x');
    t.equal(test.drops('bad-proxy-header'), 1);
    test.send(proxy, `${from(client(1))}x`);
    t.equal(test.flows.count, 1);
  },
);
