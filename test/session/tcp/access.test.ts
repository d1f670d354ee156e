/** Clients that a listener's access list refuses: before a place, a session or a byte. */
import t from 'tap';
import { AccessBlocks, type AccessTable, type AccessWord } from '../../../src/core/access_table.js';
import { present } from '../../../src/core/assert.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { ipBytes } from '../../../src/core/ip_bytes.js';
import { atOnce } from '../../../src/core/stretches.js';
import { encodeV2 } from '../../../src/session/proxy_protocol/encode.js';
import { SIGNATURE_V2 } from '../../../src/session/proxy_protocol/header.js';
import { type Bed, bed, KEY, NOTHING } from './bed.js';

function table(
  words: Readonly<Record<string, AccessWord>>,
  mode: 'enforced' | 'dry run' = 'enforced',
): AccessTable {
  const blocks = new AccessBlocks();
  for (const [text, word] of Object.entries(words)) {
    const [host = '', bits = '32'] = text.split('/');
    blocks.add({ bytes: present(ipBytes(host), text), prefixBits: Number(bits), word });
  }
  const others = Object.values(words).includes('allow') ? 'not allowed' : 'allowed';
  return atOnce(blocks.table(1, { others, dryRun: mode === 'dry run' }));
}

const PROXIES = { trustedProxies: [{ family: 4, host: '10.9.9.0', prefixBits: 24 }] } as const;

function headerOf(host: string): Uint8Array {
  return encodeV2({
    transport: 'stream',
    source: ipEndpoint(4, host, 4711),
    destination: ipEndpoint(4, '203.0.113.1', 443),
    tlvs: [],
  });
}

function comes(test: Bed, host: string): string | null {
  const pair = test.worker(0).tcp.connect(KEY, ipEndpoint(4, host, 4711));
  if (pair === null) return 'backlog';
  const how = test.worker(0).tcp.pair(pair).how;
  test.turn();
  return how;
}

t.test('a client that is denied, or not among those allowed, is reset and counted', async (t) => {
  const access = table({ '10.0.0.0/8': 'allow', '10.1.0.0/16': 'deny', '10.1.1.1': 'allow' });
  const test = await bed({ listener: { access } });
  t.equal(comes(test, '10.1.2.3'), 'reset');
  t.equal(comes(test, '192.0.2.1'), 'reset');
  t.equal(comes(test, '10.1.1.1'), null, 'the most specific block decides');
  t.same([test.ended('denied'), test.ended('not-allowed'), test.total('accepted')], [1, 1, 3]);
  t.match(test.records, [
    { client: '10.1.2.3:4711', end: { by: 'sluice', stage: 'accept', cause: 'denied' } },
    { client: '192.0.2.1:4711', end: { cause: 'not-allowed' } },
  ]);
  t.equal(test.remains().sessions, 1);
});

t.test(
  'a flood of refused clients takes no place and few lines, and all are counted',
  async (t) => {
    const test = await bed({
      listener: { access: table({ '10.1.0.0/16': 'deny' }), maxSessions: 2 },
    });
    for (let index = 0; index < 500; index++) comes(test, '10.1.2.3');
    t.equal(test.records.length, 10);
    t.equal(test.ended('denied'), 500);
    t.equal(test.worker(0).tcp.sockets.get(KEY)?.state, 'accepting');
    t.same(test.remains(), NOTHING);
    await test.pass(1_000, 100);
    comes(test, '10.1.2.3');
    t.equal(test.records.at(-1)?.unlogged, 490, 'the next line says how many had none');
    t.equal(comes(test, '10.2.2.3'), null);
  },
);

t.test(
  'behind a proxy the client of the header counts, and of the proxy what denies it',
  async (t) => {
    const access = table({ '203.0.113.0/24': 'allow', '203.0.113.9': 'deny', '10.9.9.9': 'deny' });
    const test = await bed({ listener: { access, ...PROXIES } });
    const { tcp } = test.worker(0);
    const behind = (host: string): string => {
      const pair = test.accept(0, ipEndpoint(4, '10.9.9.1', 4711));
      tcp.clientSends(pair, headerOf(host));
      const state = test.state(pair)?.split(' ')[0] ?? '';
      test.turn();
      return state;
    };
    t.equal(comes(test, '10.9.9.9'), 'reset', 'a proxy that is denied is not listened to');
    t.equal(behind('203.0.113.7'), 'dialling');
    t.equal(behind('203.0.113.9'), 'closing');
    t.equal(behind('198.51.100.1'), 'closing');
    t.same(test.causes, ['denied', 'denied', 'not-allowed']);
    t.equal(test.records.at(-1)?.client, '198.51.100.1:4711');
  },
);

t.test('a header that names no client leaves the address of the connection', async (t) => {
  const unspecified = Buffer.concat([SIGNATURE_V2, Buffer.from('21000000', 'hex')]);
  const local = Buffer.concat([SIGNATURE_V2, Buffer.from('20000000', 'hex')]);
  const unknown = Buffer.from('PROXY UNKNOWN\r\n');
  for (const header of [unspecified, local, unknown]) {
    const says = async (word: Readonly<Record<string, AccessWord>>): Promise<string> => {
      const test = await bed({ listener: { access: table(word), ...PROXIES } });
      const pair = test.accept(0, ipEndpoint(4, '10.9.9.1', 4711));
      test.worker(0).tcp.clientSends(pair, header);
      const state = test.state(pair)?.split(' ')[0] ?? '';
      test.turn();
      return [state, ...test.causes].join(' ');
    };
    t.equal(await says({ '203.0.113.0/24': 'allow' }), 'closing not-allowed');
    t.equal(await says({ '10.9.9.0/24': 'allow' }), 'dialling');
  }
});

t.test('a dry run counts clients that it would refuse, and refuses none', async (t) => {
  const test = await bed({ listener: { access: table({ '10.1.0.0/16': 'deny' }, 'dry run') } });
  t.equal(comes(test, '10.1.2.3'), null);
  t.equal(comes(test, '10.2.2.3'), null);
  t.equal(test.dryRun('denied'), 1);
  t.equal(test.ended('denied'), 0);
});

t.test('a reload with another list holds for clients that come next', async (t) => {
  const test = await bed();
  const pair = test.relay();
  const listener = test.listener({ access: table({ '0.0.0.0/0': 'deny' }) });
  await test.apply({ listeners: [listener] });
  t.equal(comes(test, '10.2.2.3'), 'reset');
  t.match(test.state(pair), /^relaying/, 'sessions that are here stay');
});
