import t from 'tap';
import { addressKey } from '../../src/core/address_key.js';
import { ipEndpoint } from '../../src/core/endpoint.js';

t.test('an IPv4 address and the IPv6 address that stands for it have one key', async (t) => {
  t.same(addressKey(ipEndpoint(4, '192.0.2.255', 1)), Uint8Array.of(192, 0, 2, 255));
  t.same(addressKey(ipEndpoint(6, '::ffff:192.0.2.255', 2)), Uint8Array.of(192, 0, 2, 255));
});

t.test('an IPv6 address has 16 bytes, a UNIX peer none', async (t) => {
  const bytes = new Uint8Array(16);
  bytes.set([0x20, 0x01, 0x0d, 0xb8]);
  bytes[15] = 1;
  t.same(addressKey(ipEndpoint(6, '2001:db8::1', 1)), bytes);
  t.equal(addressKey({ kind: 'unix', path: '' }).length, 0);
});
