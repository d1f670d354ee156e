import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { descriptorOf } from '../../src/engine/node/socket.js';
import { ERRNO } from '../../src/kernel/errno.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { pathOf, silentMs, unheardError } from '../../src/kernel/tcp_info.js';
import { eventually, nowMs } from '../support/deadline.js';

const loaded = loadKernel();
const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work on this machine');
/** The kernel counts in jiffies, of 10 ms at most. */
const GRAIN_MS = 20;

interface Ends {
  readonly near: Socket;
  readonly far: Socket;
  /** Of `near`. */
  readonly fd: number;
}

/** Two ends of a connection over loopback, neither of which is read. */
async function connected(t: Test): Promise<Ends> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause();
  const accepted = once(server, 'connection');
  await once(near, 'connect');
  const [far] = (await accepted) as [Socket];
  server.close();
  t.teardown(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far, fd: present(descriptorOf(near), 'it is open') };
}

t.test('a connection is silent from the last data that it sent', async (t) => {
  const { near, fd } = await connected(t);
  for (const round of ['once', 'and again']) {
    const beganMs = nowMs();
    near.write('x');
    const silent = silentMs(kernel, fd);
    t.ok(silent <= nowMs() - beganMs + GRAIN_MS, `${round}: ${silent} ms`);
    await eventually('silence', () => silentMs(kernel, fd) >= 200 || undefined);
    t.ok(nowMs() - beganMs >= 200 - GRAIN_MS, round);
  }
});

t.test('probes of a closed window are silence', async (t) => {
  const { near, fd } = await connected(t);
  // More than both kernels take.
  near.write(Buffer.alloc(64 * 1_048_576));
  await eventually('silence behind two probes', () => silentMs(kernel, fd) >= 700 || undefined);
  t.ok(near.writableLength > 0, 'while data waits');
});

t.test('a reset that was not reported yet is reported, an end in order is none', async (t) => {
  const reset = await connected(t);
  t.equal(unheardError(kernel, reset.fd), 0, 'the connection goes on');
  // What can no longer be written to learns nothing by itself while it is not read.
  reset.near.end();
  await once(reset.near, 'finish');
  reset.far.write('x');
  reset.far.resetAndDestroy();
  const error = await eventually('a reset', () => unheardError(kernel, reset.fd) || undefined);
  t.equal(error, ERRNO.ECONNRESET);

  const ended = await connected(t);
  ended.near.end();
  await once(ended.near, 'finish');
  ended.far.end('x');
  await once(ended.far, 'finish');
  t.equal(unheardError(kernel, ended.fd), 0);
});

t.test('where it is unknown nothing is reported', async (t) => {
  t.equal(silentMs(kernel, -1), 0);
  t.equal(unheardError(kernel, -1), 0);
  t.equal(pathOf(kernel, -1), null);
});

t.test('of a connection the kernel knows its round-trip time, also behind a FIN', async (t) => {
  const { near, far, fd } = await connected(t);
  const open = present(pathOf(kernel, fd), 'it is TCP');
  t.ok((open.rttMs ?? 0) > 0 && (open.rttMs ?? 0) < 1_000, `${open.rttMs} ms over loopback`);
  t.equal(open.retransmits, 0);
  far.end();
  near.resume();
  await once(near, 'end');
  t.match(pathOf(kernel, fd), { retransmits: 0, rttMs: Number });
});
