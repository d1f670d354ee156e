import t from 'tap';
import {
  formatAddress,
  ipEndpoint,
  PeerEndpoint,
  peerAt,
  plainEndpoint,
} from '../../src/core/endpoint.js';

const BYTES = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);

t.test('a peer of bytes has the text of its address', async (t) => {
  const peer = PeerEndpoint.ofBytes(6, 53, BYTES);
  t.equal(peer.host, '2001:db8::7');
  t.equal(formatAddress(peer), '[2001:db8::7]:53');
  t.equal(
    formatAddress(PeerEndpoint.ofBytes(4, 80, Uint8Array.of(9, 192, 0, 2, 1), 1)),
    '192.0.2.1:80',
  );
});

t.test('the bytes that a peer was made of may change afterwards', async (t) => {
  const bytes = BYTES.slice();
  const peer = PeerEndpoint.ofBytes(6, 53, bytes);
  bytes.fill(9);
  t.equal(peer.host, '2001:db8::7');
  peer.hostBytes().fill(9);
  t.same(peer.hostBytes(), BYTES);
});

t.test('a peer is made of an endpoint once', async (t) => {
  const peer = peerAt(ipEndpoint(6, '2001:db8::7', 53));
  t.same(peer.hostBytes(), BYTES);
  t.equal(peerAt(peer), peer);
  const unix = { kind: 'unix', path: '/x' } as const;
  t.equal(peerAt(unix), unix);
});

t.test('a plain endpoint comes whole through a message, which a peer does not', async (t) => {
  const peer = PeerEndpoint.ofBytes(6, 53, BYTES);
  t.strictSame(structuredClone(plainEndpoint(peer)), ipEndpoint(6, '2001:db8::7', 53));
  t.equal(structuredClone(peer).host, undefined);
});
