/** A datagram reaches a UNIX socket by path and by abstract name. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { present } from '../../src/core/assert.js';
import { adoptDescriptor, closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { AF_UNIX } from '../../src/kernel/sockaddr.js';
import { openListeningSocket, SOCK_DGRAM } from '../../src/kernel/sockets.js';
import { sendUnixDatagram } from '../../src/kernel/unix_datagram.js';

const loaded = loadKernel();
const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work here');

/** Short, unlike tap's own folders: a path of a socket has at most 107 bytes. */
const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function receive(fd: number): string {
  const bytes = new Uint8Array(4096);
  return Buffer.from(bytes.subarray(0, kernel.libc.read(fd, bytes, bytes.length))).toString();
}

t.test('a datagram arrives whole at a socket with a path', async (t) => {
  const path = join(folder, 'n');
  const local = { kind: 'unix', path } as const;
  const options = { local, protocol: 'udp', reusePort: 'exclusive', backlog: 0 } as const;
  const opened = openListeningSocket(kernel, options);
  const { fd } = present(opened.ok ? opened.value : null, `${path} can be bound`);
  t.same(sendUnixDatagram(kernel, path, Buffer.from('READY=1\n')), { ok: true, value: undefined });
  t.equal(receive(fd), 'READY=1\n');
  closeDescriptor(kernel, fd);
});

t.test('a datagram arrives at an abstract name', async (t) => {
  const name = `sluice-test-${process.pid}`;
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name)]);
  const fd = adoptDescriptor(kernel.libc.socket(AF_UNIX, SOCK_DGRAM, 0));
  t.equal(kernel.libc.bind(fd, address, address.length), 0);
  t.ok(sendUnixDatagram(kernel, `@${name}`, Buffer.from('STATUS=well')).ok);
  t.equal(receive(fd), 'STATUS=well');
  closeDescriptor(kernel, fd);
});

t.test('a socket that is not there is an error with the name of its errno', async (t) => {
  const sent = sendUnixDatagram(kernel, join(folder, 'none'), Buffer.from('x'));
  t.match(sent, { ok: false, error: { call: 'sendto', errno: 'ENOENT' } });
});
