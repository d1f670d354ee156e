/** A datagram reaches a UNIX socket by path and by abstract name. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { present } from '../../src/core/assert.js';
import { adoptDescriptor, closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { mapMemory, PAGE_BYTES } from '../../src/kernel/memory.js';
import { writeMessage, writeVector } from '../../src/kernel/messages.js';
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

/** A datagram, and the descriptors that came with it. */
function receiveRights(fd: number): { text: string; descriptors: number[] } {
  const memory = mapMemory(kernel, PAGE_BYTES);
  const { address, buffer } = present(memory.ok ? memory.value : null, 'there is memory');
  const [words, bytes] = [new Int32Array(buffer), new Uint8Array(buffer)];
  // Header, vector, control message, bytes.
  writeVector(words, 16, address + 2048, 1024);
  writeMessage(words, 0, 0, 0, address + 64, address + 128, 256);
  const length = kernel.libc.recvmsgAt(fd, address, 0);
  // Behind length, level and type, which a cmsghdr has in 16 bytes.
  const count = ((words[32] ?? 16) - 16) / 4;
  return {
    text: Buffer.from(bytes.subarray(2048, 2048 + length)).toString(),
    descriptors: [...words.subarray(36, 36 + count)],
  };
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

t.test('descriptors travel with a datagram', async (t) => {
  const path = join(folder, 'd');
  const local = { kind: 'unix', path } as const;
  const options = { local, protocol: 'udp', reusePort: 'exclusive', backlog: 0 } as const;
  const opened = openListeningSocket(kernel, options);
  const { fd } = present(opened.ok ? opened.value : null, `${path} can be bound`);
  const ends = new Int32Array(2);
  t.equal(kernel.libc.pipe2(ends, 0), 0);
  const [reading = -1, writing = -1] = ends;
  t.ok(sendUnixDatagram(kernel, path, Buffer.from('FDSTORE=1\n'), [writing, fd]).ok);
  const { text, descriptors } = receiveRights(fd);
  t.equal(text, 'FDSTORE=1\n');
  t.equal(descriptors.length, 2);
  const [copy = -1] = descriptors;
  t.not(copy, writing);
  t.equal(kernel.libc.write(copy, Buffer.from('x'), 1), 1);
  t.equal(receive(reading), 'x', 'it is the same pipe');
  for (const one of [fd, reading, writing, ...descriptors]) {
    closeDescriptor(kernel, adoptDescriptor(one));
  }
});

t.test('a socket that is not there is an error with the name of its errno', async (t) => {
  const sent = sendUnixDatagram(kernel, join(folder, 'none'), Buffer.from('x'));
  t.match(sent, { ok: false, error: { call: 'sendto', errno: 'ENOENT' } });
});
