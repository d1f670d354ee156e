import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import t from 'tap';
import {
  familyOf,
  ipBytes,
  ipText,
  ipv4Number,
  isMapped,
  mapped,
  masked,
  unmapped,
} from '../../src/core/ip_bytes.js';
import { below, seededRandom } from '../../src/core/random.js';

const bytesOf = (text: string): string => Buffer.from(ipBytes(text) ?? []).toString('hex');

t.test('addresses become bytes in network order', async (t) => {
  t.equal(bytesOf('10.1.2.255'), '0a0102ff');
  t.equal(bytesOf('::'), '00'.repeat(16));
  t.equal(bytesOf('::1'), `${'00'.repeat(15)}01`);
  t.equal(bytesOf('2001:DB8::ff:1'), '20010db80000000000000000 00ff0001'.replace(' ', ''));
  t.equal(bytesOf('::ffff:1.2.3.4'), `${'00'.repeat(10)}ffff01020304`);
});

t.test('a prefix keeps its bits, and a copy has them', async (t) => {
  const kept = (text: string, prefixBits: number): string => {
    const bytes = ipBytes(text) ?? new Uint8Array(0);
    const before = bytes.slice();
    const copy = masked(bytes, prefixBits);
    t.same(bytes, before);
    return ipText(familyOf(copy), copy);
  };
  t.equal(kept('255.255.255.255', 0), '0.0.0.0');
  t.equal(kept('255.255.255.255', 12), '255.240.0.0');
  t.equal(kept('255.255.255.255', 32), '255.255.255.255');
  t.equal(kept('2001:db8:ffff:ffff::1', 49), '2001:db8:ffff:8000::');
  t.equal(kept('2001:db8::1', 128), '2001:db8::1');
});

t.test('what is no address is null', async (t) => {
  const wrong = ['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', 'a.b.c.d', ' 1.2.3.4'];
  wrong.push(':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'fe80::1%lo');
  wrong.push('::1.2.3', '1:2:3:4:5:6:7::8');
  for (const text of wrong) t.equal(ipBytes(text), null, text);
});

t.test('text is canonical as in RFC 5952', async (t) => {
  const canonical = (text: string): string => ipText(6, ipBytes(text) ?? new Uint8Array(16));
  t.equal(canonical('2001:0db8:0:0:0:0:2:1'), '2001:db8::2:1');
  t.equal(canonical('2001:db8:0:1:1:1:1:1'), '2001:db8:0:1:1:1:1:1', 'one zero group stays');
  t.equal(canonical('2001:0:0:1:0:0:0:1'), '2001:0:0:1::1', 'the longest run is shortened');
  t.equal(canonical('2001:db8:0:0:1:0:0:1'), '2001:db8::1:0:0:1', 'the first of equal runs is');
  t.equal(canonical('::ffff:10.0.0.1'), '::ffff:10.0.0.1');
  t.equal(canonical('0:0:0:0:0:0:0:0'), '::');
});

t.test('bytes survive the way to text and back', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const random = seededRandom(seed);
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: 16 }, () =>
      below(random, 3) === 0 ? below(random, 256) : 0,
    );
    const text = ipText(6, bytes);
    if (!isIPv6(text) || Buffer.compare(ipBytes(text) ?? Buffer.of(), bytes) !== 0) {
      t.fail(`SEED=${seed}: ${Buffer.from(bytes).toString('hex')} became ${text}`);
    }
  }
  t.pass('2000 addresses');
});

t.test('the number of an IPv4 address agrees with its bytes and with node:net', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const random = seededRandom(seed);
  const parts = ['0', '1', '9', '10', '99', '100', '255', '256', '300', '01', '', 'a', '1000', ':'];
  for (let round = 0; round < 4000; round++) {
    const count = below(random, 8) === 0 ? below(random, 7) : 4;
    const narrow = below(random, 2) === 0 ? 7 : parts.length;
    const text = Array.from({ length: count }, () => parts[below(random, narrow)]).join('.');
    const number = ipv4Number(text);
    const told = text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    if (number !== (isIPv4(text) ? told : -1)) t.fail(`SEED=${seed}: ${text} became ${number}`);
    if (number < 0 || ipText(4, ipBytes(text) ?? Uint8Array.of()) === text) continue;
    t.fail(`SEED=${seed}: ${text} has other bytes`);
  }
  t.equal(ipv4Number('255.255.255.255'), 2 ** 32 - 1);
  t.equal(ipv4Number('0.0.0.0'), 0);
});

t.test('an IPv4 address goes into its IPv6 form and back; others stay', async (t) => {
  const four = Uint8Array.of(192, 0, 2, 7);
  t.same(unmapped(mapped(four)), four);
  t.equal(ipText(6, mapped(four)), '::ffff:192.0.2.7');
  for (const text of [
    '::',
    '::1',
    '::1.2.3.4',
    '2001:db8::1',
    '::fffe:102:304',
    '0:0:0:0:1:ffff::',
  ]) {
    const bytes = ipBytes(text) ?? Uint8Array.of();
    t.notOk(isMapped(bytes), text);
    t.equal(unmapped(bytes), bytes, text);
    t.equal(mapped(bytes), bytes, text);
  }
});

t.test('whatever stands between colons, it is an IPv6 address when node:net says so', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const random = seededRandom(seed);
  const parts = [
    '0',
    '1',
    'ffff',
    'aBcD',
    '12345',
    '',
    '',
    '1.2.3.4',
    '1.2.3',
    'g',
    '%',
    '-1',
    '\0',
  ];
  const draw = (): string => {
    const usual = below(random, 2) === 0;
    const words = Array.from({ length: 1 + below(random, 9) }, () =>
      usual ? `${below(random, 4)}` : (parts[below(random, parts.length)] ?? ''),
    );
    const at = below(random, words.length + 1);
    if (below(random, 3) > 0) words.splice(at, 0, ['', ':', ' '][below(random, 3)] ?? '');
    return words.join(':');
  };
  let addresses = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = `${draw()}:${draw()}`.slice(0, below(random, 60));
    if (!text.includes(':') || text.includes('%')) continue;
    const bytes = ipBytes(text);
    if (isIPv6(text)) {
      addresses++;
      const wanted = new SocketAddress({ address: text, family: 'ipv6' }).address;
      const plain =
        bytes === null
          ? null
          : new SocketAddress({ address: ipText(6, bytes), family: 'ipv6' }).address;
      if (plain !== wanted) t.fail(`SEED=${seed}: ${text} is ${wanted}, and became ${plain}`);
    } else if (bytes !== null) t.fail(`SEED=${seed}: ${JSON.stringify(text)} is no address`);
  }
  t.ok(addresses > 500, `${addresses} addresses`);
});
