import t from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';
import {
  type AddressedDatagram,
  AddressedReader,
  tellLocalAddresses,
} from '../../src/kernel/addressed_datagrams.js';
import { closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { eventually } from '../support/deadline.js';
import { UdpPeer } from '../support/udp_peer.js';

const kernel = loadKernel();

for (const [wildcard, hosts] of [
  ['0.0.0.0', ['127.0.0.1', '127.0.0.2', '127.200.3.4']],
  ['::', ['::1']],
] as const) {
  t.test(`a datagram to ${wildcard} shows whose it is and which address it was for`, async (t) => {
    if (!kernel.ok) return void t.pass(kernel.error, { skip: kernel.error });
    const family = wildcard === '::' ? 6 : 4;
    const opened = openListeningSocket(kernel.value, {
      local: ipEndpoint(family, wildcard, 0),
      protocol: 'udp',
      reusePort: 'exclusive',
      backlog: 0,
    });
    const reader = AddressedReader.open(kernel.value);
    if (!opened.ok || !reader.ok || opened.value.local.kind !== 'ip') throw new Error('not opened');
    const { fd, local } = opened.value;
    t.teardown(() => closeDescriptor(kernel.value, fd));
    t.ok(tellLocalAddresses(kernel.value, fd, family).ok);
    const client = await UdpPeer.open(family === 6 ? '::1' : '127.0.0.1');
    t.teardown(() => client.close());
    t.equal(reader.value.read(fd), null, 'nothing waits');
    for (const host of hosts) {
      for (const payload of [host, '']) {
        client.send(ipEndpoint(family, host, local.port), payload);
        const got = await arrival(() => reader.value.read(fd));
        t.equal(Buffer.from(got.payload).toString(), payload);
        t.equal(got.to, host);
        t.same(got.from, client.endpoint);
      }
    }
    const large: IpEndpoint = ipEndpoint(family, hosts[0], local.port);
    client.send(large, Buffer.alloc(60_000, 'x'));
    t.equal((await arrival(() => reader.value.read(fd))).payload.length, 60_000);
  });
}

function arrival(read: () => AddressedDatagram | null): Promise<AddressedDatagram> {
  return eventually('a datagram', () => read() ?? undefined);
}
