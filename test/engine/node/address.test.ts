/** What node:net says of addresses, and what the kernel's bytes say, is the same endpoint. */
import { once } from 'node:events';
import { connect, createServer, type Socket, SocketAddress } from 'node:net';
import t from 'tap';
import { ipEndpoint, systemEndpoint, systemPeer } from '../../../src/core/endpoint.js';
import { ipText } from '../../../src/core/ip_bytes.js';
import { below, seededRandom } from '../../../src/core/random.js';
import { boundAddress, localOf, peerOf } from '../../../src/engine/node/address.js';
import { decodeAddress, encodeAddress } from '../../../src/kernel/sockaddr.js';

t.test('an IPv4 client of a dual-stack socket is an IPv4 endpoint', async (t) => {
  const server = createServer().listen(0, '::');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const bound = boundAddress(server, ipEndpoint(6, '::', 0));
  t.match(bound, { kind: 'ip', family: 6, host: '::' });
  if (bound.kind !== 'ip') return;
  const accepted = once(server, 'connection');
  const client = connect(bound.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  const [socket] = (await accepted) as [Socket];
  t.teardown(() => socket.destroy());
  t.same(peerOf(socket, bound), ipEndpoint(4, '127.0.0.1', client.localPort ?? 0));
  t.same(localOf(socket, bound), ipEndpoint(4, '127.0.0.1', bound.port));
});

t.test('any address is the same endpoint as text of the system and as bytes', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const random = seededRandom(seed);
  for (let round = 0; round < 2_000; round++) {
    // Zeros, all ones and others, so that mapped and shortened addresses are among them.
    const bytes = Uint8Array.from(
      { length: 16 },
      (_, index) =>
        [0, 0, index === 10 || index === 11 ? 0xff : 0, below(random, 256)][
          below(random, 4)
        ] as number,
    );
    if (below(random, 4) === 0) bytes.fill(0, 0, 10).fill(0xff, 10, 12);
    const text = ipText(6, bytes);
    const { address } = new SocketAddress({ address: text, family: 'ipv6' });
    const raw = encodeAddress(ipEndpoint(6, text, 53));
    const decoded = decodeAddress(raw, raw.length);
    t.same(systemEndpoint(address, 53), decoded, `SEED=${seed} ${address}`);
    t.same(systemPeer(address, 53), decoded, `SEED=${seed} ${address}`);
  }
});

t.test('a zone is no part of an endpoint, and a name is none', async (t) => {
  t.same(systemEndpoint('fe80::1%eth0', 7), ipEndpoint(6, 'fe80::1', 7));
  t.same(systemEndpoint('192.0.2.7', 7), ipEndpoint(4, '192.0.2.7', 7));
  t.equal(systemEndpoint('localhost', 7), null);
  t.equal(systemPeer('localhost', 7), null);
  t.equal(systemEndpoint('', 7), null);
});
