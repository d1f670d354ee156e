import t from 'tap';
import { DialledEndpoint, type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import {
  decodeAddress,
  encodeAddress,
  putAddress,
  SOCKADDR_MAX_BYTES,
} from '../../src/kernel/sockaddr.js';

t.test('an address is the same after the way to the kernel and back', async (t) => {
  const endpoints: Endpoint[] = [
    ipEndpoint(4, '203.0.113.9', 65_535),
    ipEndpoint(6, '2001:db8::1', 53),
    new DialledEndpoint(ipEndpoint(4, '203.0.113.9', 80)),
    new DialledEndpoint(ipEndpoint(6, '2001:db8::2', 80)),
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
    t.same(structuredClone(endpoint), { ...endpoint }, 'what a dial keeps is no part of it');
  }
});

t.test('a mapped IPv6 address comes out as IPv4', async (t) => {
  const bytes = encodeAddress(ipEndpoint(6, '::ffff:192.0.2.7', 80));
  t.same(decodeAddress(bytes, bytes.length), ipEndpoint(4, '192.0.2.7', 80));
});

t.test('an unnamed unix socket has an empty path', async (t) => {
  const bytes = new Uint8Array(SOCKADDR_MAX_BYTES);
  bytes[0] = 1;
  t.same(decodeAddress(bytes, 2), { kind: 'unix', path: '' });
});
