import t from 'tap';
import { addressKey, KeyRoom } from '../../src/core/address_key.js';
import { ipEndpoint, type Peer, peerAt } from '../../src/core/endpoint.js';

const v6 = (first: readonly number[], last: number): Uint8Array => {
  const bytes = new Uint8Array(16);
  bytes.set(first);
  bytes[15] = last;
  return bytes;
};

const CASES: readonly (readonly [string, Peer, Uint8Array])[] = [
  [
    'an IPv4 address has 4 bytes',
    peerAt(ipEndpoint(4, '192.0.2.255', 1)),
    Uint8Array.of(192, 0, 2, 255),
  ],
  [
    'the IPv6 address that stands for one has the same',
    peerAt(ipEndpoint(6, '::ffff:192.0.2.255', 2)),
    Uint8Array.of(192, 0, 2, 255),
  ],
  [
    'an IPv6 address has 16',
    peerAt(ipEndpoint(6, '2001:db8::1', 1)),
    v6([0x20, 0x01, 0x0d, 0xb8], 1),
  ],
  [
    'so has one that only looks like IPv4',
    peerAt(ipEndpoint(6, '::fffe:0:1', 1)),
    v6([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe], 1),
  ],
  ['a UNIX peer has none', { kind: 'unix', path: '' }, new Uint8Array(0)],
];

for (const [name, peer, bytes] of CASES) {
  t.test(name, async (t) => {
    t.same(addressKey(peer), bytes);
    t.same(new KeyRoom().keyOf(peer), bytes);
  });
}

t.test('a room has the key of the last peer, whatever was there before', async (t) => {
  const room = new KeyRoom();
  for (const [, before] of CASES) {
    for (const [name, peer, bytes] of CASES) {
      room.keyOf(before);
      t.same(room.keyOf(peer), bytes, name);
    }
  }
});

t.test('a key of its own stays as it is', async (t) => {
  const key = addressKey(peerAt(ipEndpoint(4, '192.0.2.1', 1)));
  addressKey(peerAt(ipEndpoint(4, '192.0.2.2', 1)));
  t.same(key, Uint8Array.of(192, 0, 2, 1));
});
