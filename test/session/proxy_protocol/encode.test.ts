import t from 'tap';
import { type Endpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import {
  encodeV1,
  encodeV2,
  LOCAL_V2,
  UNKNOWN_V1,
} from '../../../src/session/proxy_protocol/encode.js';
import type { ProxyHeader, Tlv } from '../../../src/session/proxy_protocol/header.js';
import { parse } from '../../../src/session/proxy_protocol/parse.js';
import { seed } from '../../support/seed.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const header = (
  transport: 'stream' | 'dgram',
  source: Endpoint | null,
  destination: Endpoint | null,
  tlvs: readonly Tlv[] = [],
): ProxyHeader => ({ transport, source, destination, tlvs });

const V4 = ipEndpoint(4, '192.168.0.1', 56324);
const V4_TO = ipEndpoint(4, '192.168.0.11', 443);
const V6 = ipEndpoint(6, '2001:db8::1', 1);

t.test('version 2 is written byte for byte', (t) => {
  const v4 = 'c0a80001c0a8000bdc0401bb';
  t.equal(hex(encodeV2(header('stream', V4, V4_TO))), `${SIGNATURE}2111000c${v4}`);
  t.equal(hex(encodeV2(header('dgram', V4, V4_TO))), `${SIGNATURE}2112000c${v4}`);
  const v6 = `20010db8${'0'.repeat(22)}01`;
  t.equal(hex(encodeV2(header('dgram', V6, V6))), `${SIGNATURE}21220024${v6}${v6}00010001`);
  const paths = Buffer.from('/x').toString('hex').padEnd(216, '0').repeat(2);
  const unix: Endpoint = { kind: 'unix', path: '/x' };
  t.equal(hex(encodeV2(header('stream', unix, unix))), `${SIGNATURE}213100d8${paths}`);
  t.equal(hex(LOCAL_V2), `${SIGNATURE}20000000`);
  t.end();
});

t.test("version 1 is written as in the specification's example", (t) => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  t.equal(
    text(encodeV1(header('stream', V4, V4_TO))),
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n',
  );
  t.equal(text(encodeV1(header('stream', V6, V6))), 'PROXY TCP6 2001:db8::1 2001:db8::1 1 1\r\n');
  t.equal(text(encodeV1(header('dgram', V4, V4_TO))), 'PROXY UNKNOWN\r\n');
  t.equal(text(encodeV1(header('stream', null, V4_TO))), 'PROXY UNKNOWN\r\n');
  t.equal(text(UNKNOWN_V1), 'PROXY UNKNOWN\r\n');
  t.end();
});

t.test('a mapped address goes as IPv4, and one of each family as two of IPv6', (t) => {
  const mapped = ipEndpoint(6, '::ffff:192.168.0.1', 56324);
  t.same(encodeV2(header('stream', mapped, V4_TO)), encodeV2(header('stream', V4, V4_TO)));
  t.match(parse(encodeV2(header('stream', V4, V6))), {
    source: ipEndpoint(6, '::ffff:192.168.0.1', 56324),
    destination: V6,
  });
  t.end();
});

t.test('an address that is missing, or of another kind, gives UNSPEC', (t) => {
  const tlvs = [{ type: 2, value: Uint8Array.of(97) }];
  const unix: Endpoint = { kind: 'unix', path: '/x' };
  t.equal(hex(encodeV2(header('stream', null, V4_TO, tlvs))), `${SIGNATURE}21000000`);
  t.equal(hex(encodeV2(header('stream', unix, V4_TO))), `${SIGNATURE}21000000`);
  t.end();
});

t.test('TLVs pass on, NOOP is dropped and the checksum computed anew', (t) => {
  const tlvs = [
    { type: 0x03, value: Uint8Array.of(1, 2, 3, 4) },
    { type: 0x04, value: new Uint8Array(9) },
    { type: 0x02, value: Uint8Array.of(97) },
    { type: 0xee, value: new Uint8Array(0) },
  ];
  const parsed = parse(encodeV2(header('stream', V4, V4_TO, tlvs)));
  t.equal(parsed.kind, 'header');
  const types = parsed.kind === 'header' ? parsed.tlvs.map((tlv) => tlv.type) : [];
  t.same(types, [0x02, 0xee, 0x03]);
  t.end();
});

t.test(`what is written is read again, and no beginning of it is (SEED=${seed})`, (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const wanted = randomHeader(random);
    for (const encode of [encodeV1, encodeV2]) {
      const bytes = encode(wanted);
      const got = parse(Buffer.concat([bytes, randomBytes(random, 8)]));
      if (got.kind !== 'header' || got.length !== bytes.length)
        t.fail(`${hex(bytes)}: ${got.kind}`);
      else if (encode === encodeV2) t.match(got, wanted);
      for (let cut = 0; cut < bytes.length; cut++) {
        const kind = parse(bytes.subarray(0, cut)).kind;
        if (kind !== 'need-more') t.fail(`${hex(bytes)} cut at ${cut}: ${kind}`);
      }
    }
  }
  t.pass('300 rounds');
  t.end();
});

t.test(`any bytes have an answer (SEED=${seed})`, (t) => {
  const random = seededRandom(seed);
  const counts = { header: 0, bad: 0, 'need-more': 0 };
  for (let round = 0; round < 20_000; round++) {
    const encode = random.next() < 0.5 ? encodeV1 : encodeV2;
    const bytes = encode(randomHeader(random)).slice();
    for (let changes = below(random, 4); changes > 0; changes--) {
      bytes[below(random, bytes.length)] = below(random, 256);
    }
    const parsed = parse(bytes.subarray(0, below(random, bytes.length + 1)));
    counts[parsed.kind]++;
    if (parsed.kind === 'header' && parsed.length > bytes.length) t.fail(hex(bytes));
  }
  for (const count of Object.values(counts)) t.ok(count > 100, JSON.stringify(counts));
  t.end();
});

function randomHeader(random: Random): ProxyHeader {
  const host = (family: 4 | 6): string =>
    family === 4
      ? Array.from({ length: 4 }, () => below(random, 256)).join('.')
      : `2001:db8::${(1 + below(random, 65_535)).toString(16)}`;
  const family = random.next() < 0.5 ? 4 : 6;
  const endpoint = (): Endpoint => ipEndpoint(family, host(family), below(random, 65_536));
  const tlvs = Array.from({ length: below(random, 3) }, () => ({
    type: 0xe0 + below(random, 32),
    value: randomBytes(random, below(random, 20)),
  }));
  const transport = random.next() < 0.5 ? 'stream' : 'dgram';
  return { transport, source: endpoint(), destination: endpoint(), tlvs };
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256));
}
