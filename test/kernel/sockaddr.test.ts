import t from 'tap';
import { addressKey } from '../../src/core/address_key.js';
import { type Endpoint, hostBytesOf, ipEndpoint, peerAt } from '../../src/core/endpoint.js';
import { ipText } from '../../src/core/ip_bytes.js';
import { below, seededRandom } from '../../src/core/random.js';
import {
  decodeAddress,
  decodePeer,
  encodeAddress,
  putAddress,
  SOCKADDR_MAX_BYTES,
} from '../../src/kernel/sockaddr.js';

t.test('an address is the same after the way to the kernel and back', async (t) => {
  const endpoints: Endpoint[] = [
    ipEndpoint(4, '203.0.113.9', 65_535),
    ipEndpoint(6, '2001:db8::1', 53),
    peerAt(ipEndpoint(4, '203.0.113.9', 80)),
    peerAt(ipEndpoint(6, '2001:db8::2', 80)),
    { kind: 'unix', path: '/run/x.sock' },
    { kind: 'unix', path: `/${'p'.repeat(106)}` },
  ];
  for (const endpoint of endpoints) {
    const bytes = encodeAddress(endpoint);
    t.ok(bytes.length <= SOCKADDR_MAX_BYTES);
    t.same(decodeAddress(bytes, bytes.length), endpoint);
    const memory = new Int32Array(64).fill(-1);
    const written = new Uint8Array(memory.buffer, 32, putAddress(endpoint, memory, 8));
    t.same([...written], [...bytes]);
  }
});

t.test('a mapped IPv6 address comes out as IPv4', async (t) => {
  const bytes = encodeAddress(ipEndpoint(6, '::ffff:192.0.2.7', 80));
  t.same(decodeAddress(bytes, bytes.length), ipEndpoint(4, '192.0.2.7', 80));
});

t.test('a peer of the kernel is the endpoint that its bytes say', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const random = seededRandom(seed);
  const memory = new Int32Array(16);
  for (let round = 0; round < 2_000; round++) {
    const family = below(random, 2) === 0 ? 4 : 6;
    const bytes = Uint8Array.from({ length: family === 4 ? 4 : 16 }, () =>
      below(random, 2) === 0 ? 0 : below(random, 256),
    );
    const kind = below(random, 3);
    if (family === 6 && kind > 0) bytes.fill(0, 0, 10).fill(0xff, 10, kind === 1 ? 12 : 11);
    const sent = encodeAddress(ipEndpoint(family, ipText(family, bytes), below(random, 65_536)));
    // What stands behind an address is of one before it.
    const written = new Uint8Array(memory.buffer).fill(0xee);
    written.set(sent, 12);
    const peer = decodePeer(memory, 3);
    written.fill(0);
    t.same(peer, decodeAddress(sent, sent.length), `SEED=${seed} ${sent}`);
    t.same(hostBytesOf(peer), addressKey(peer), 'an inner IPv4 address is IPv4');
  }
});

t.test('an unnamed unix socket has an empty path', async (t) => {
  const bytes = new Uint8Array(SOCKADDR_MAX_BYTES);
  bytes[0] = 1;
  t.same(decodeAddress(bytes, 2), { kind: 'unix', path: '' });
});
