import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { present } from '../../src/core/assert.js';
import { type Endpoint, formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import { closeDescriptor, createBell, duplicate, ringBell } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { type ListeningSocketOptions, openListeningSocket } from '../../src/kernel/sockets.js';

const loaded = loadKernel();
const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work on this machine');

const options = (local: Endpoint, changes: Partial<ListeningSocketOptions> = {}) =>
  ({ local, protocol: 'tcp', reusePort: 'exclusive', backlog: 16, ...changes }) as const;

function opened(wanted: ListeningSocketOptions) {
  const outcome = openListeningSocket(kernel, wanted);
  if (!outcome.ok) throw new Error(outcome.error.sentence);
  return outcome.value;
}

t.test('a TCP socket on a free port is served through a duplicate', async (t) => {
  const { fd, local } = opened(options(ipEndpoint(4, '127.0.0.1', 0)));
  t.match(formatAddress(local), /^127\.0\.0\.1:[1-9]\d+$/);
  const copy = duplicate(kernel, fd);
  if (!copy.ok) throw new Error(copy.error.sentence);
  const server = createServer((socket) => socket.end('served')).listen({ fd: copy.value });
  await once(server, 'listening');
  const client = connect(local.kind === 'ip' ? local.port : 0, '127.0.0.1');
  t.equal(String((await once(client, 'data'))[0]), 'served');
  client.destroy();
  server.close();
  await once(server, 'close');
  closeDescriptor(kernel, fd);
});

t.test('IPv6 and IPv4 wildcards are bound side by side', async (t) => {
  const six = opened(options(ipEndpoint(6, '::', 0)));
  const port = six.local.kind === 'ip' ? six.local.port : 0;
  const four = opened(options(ipEndpoint(4, '0.0.0.0', port)));
  t.equal(formatAddress(six.local), `[::]:${port}`);
  t.equal(formatAddress(four.local), `0.0.0.0:${port}`);
  closeDescriptor(kernel, six.fd);
  closeDescriptor(kernel, four.fd);
});

t.test('a unix socket has its path as its address', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-')), 'listener.sock');
  const { fd, local } = opened(options({ kind: 'unix', path }));
  t.same(local, { kind: 'unix', path });
  closeDescriptor(kernel, fd);
});

for (const protocol of ['tcp', 'udp'] as const) {
  t.test(`an exclusive ${protocol} address is in use, a shared one is shared`, async (t) => {
    const first = opened(options(ipEndpoint(4, '127.0.0.1', 0), { protocol }));
    const second = openListeningSocket(kernel, options(first.local, { protocol }));
    t.match(second, { ok: false, error: { call: 'bind', errno: 'EADDRINUSE' } });
    closeDescriptor(kernel, first.fd);
    const shared = { protocol, reusePort: 'shared' } as const;
    const one = opened(options(ipEndpoint(4, '127.0.0.1', 0), shared));
    const two = opened(options(one.local, shared));
    t.same(two.local, one.local);
    closeDescriptor(kernel, one.fd);
    closeDescriptor(kernel, two.fd);
  });
}

t.test('an address of another machine is refused with a sentence', async (t) => {
  const outcome = openListeningSocket(kernel, options(ipEndpoint(4, '192.0.2.1', 0)));
  t.match(outcome, { ok: false, error: { errno: 'EADDRNOTAVAIL', sentence: /^bind: .*\(EADDR/ } });
});

for (const [host, protocol] of [
  ['192.0.2.1', 'tcp'],
  ['192.0.2.1', 'udp'],
  ['2001:db8::1', 'tcp'],
  ['2001:db8::1', 'udp'],
] as const) {
  t.test(`an address that may be missing is bound: ${host}, ${protocol}`, async (t) => {
    const local = ipEndpoint(host.includes(':') ? 6 : 4, host, 0);
    const { fd } = opened(options(local, { protocol, missingAddress: 'bind' }));
    const refused = openListeningSocket(kernel, options(local, { protocol }));
    t.match(refused, { ok: false, error: { errno: 'EADDRNOTAVAIL' } }, 'and is still missing');
    closeDescriptor(kernel, fd);
  });
}

t.test('rings of a bell add up until they are read', async (t) => {
  const bell = createBell(kernel);
  if (!bell.ok) throw new Error(bell.error.sentence);
  ringBell(kernel, bell.value);
  ringBell(kernel, bell.value);
  const count = new Uint8Array(8);
  t.equal(kernel.libc.read(bell.value, count, 8), 8);
  t.equal(new DataView(count.buffer).getBigUint64(0, true), 2n);
  t.ok(kernel.libc.read(bell.value, count, 8) < 0, 'nothing is left');
  closeDescriptor(kernel, bell.value);
});

t.test('a descriptor that is closed twice breaks an invariant', async (t) => {
  const bell = createBell(kernel);
  if (!bell.ok) throw new Error(bell.error.sentence);
  closeDescriptor(kernel, bell.value);
  t.throws(() => closeDescriptor(kernel, bell.value), /closed once/);
});
