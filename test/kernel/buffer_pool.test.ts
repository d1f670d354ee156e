import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { BufferPool } from '../../src/kernel/buffer_pool.js';
import { adoptDescriptor, closeDescriptor } from '../../src/kernel/descriptor.js';
import { ERRNO } from '../../src/kernel/errno.js';
import { Ring } from '../../src/kernel/ring.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { submitReceive } from '../../src/kernel/submissions.js';
import { CQE_BUFFER_SHIFT, CQE_F_BUFFER, CQE_WORDS } from '../../src/kernel/uring_abi.js';
import { testKernel } from '../support/uring_engine.js';

const kernel = testKernel();

interface Completion {
  readonly result: number;
  readonly flags: number;
}

/** A ring, a pool, and one connection whose client can be written to. */
async function bench(count: number, bufferBytes = 4096) {
  const ring = Ring.open(kernel, 64, 64);
  if (!ring.ok) throw new Error(ring.error.sentence);
  const pool = BufferPool.create(kernel, ring.value, { group: 3, count, bufferBytes });
  if (!pool.ok) throw new Error(pool.error.sentence);
  let head = ring.value.completionTail();
  const next = (): Completion => {
    while (head === ring.value.completionTail()) ring.value.enter(5_000);
    const at = (head++ & ring.value.completionMask) * CQE_WORDS;
    ring.value.completionsRead(head);
    const { completions } = ring.value;
    return { result: completions[at + 2] ?? 0, flags: completions[at + 3] ?? 0 };
  };
  const listener = openListeningSocket(kernel, {
    local: ipEndpoint(4, '127.0.0.1', 0),
    protocol: 'tcp',
    reusePort: 'exclusive',
    backlog: 1,
  });
  if (!listener.ok || listener.value.local.kind !== 'ip') throw new Error('no listener');
  const client = connect({ host: '127.0.0.1', port: listener.value.local.port, noDelay: true });
  await once(client, 'connect');
  const fd = kernel.libc.accept4At(listener.value.fd, 0, 0, 0);
  const close = (): void => {
    client.destroy();
    closeDescriptor(kernel, listener.value.fd);
    closeDescriptor(kernel, adoptDescriptor(fd));
    ring.value.close();
    pool.value.close();
  };
  return { ring: ring.value, pool: pool.value, client, fd, next, close };
}

t.test('data comes in a buffer of the pool, whichever the kernel took', async (t) => {
  const { ring, pool, client, fd, next, close } = await bench(4);
  for (let round = 0; round < 20; round++) {
    pool.supply();
    submitReceive(ring, fd, pool.group, 0, 0, 0, 0);
    await new Promise((resolve) => client.write(`round ${round}`, resolve));
    const { result, flags } = next();
    const buffer = flags >>> CQE_BUFFER_SHIFT;
    t.equal(flags & CQE_F_BUFFER, CQE_F_BUFFER);
    pool.consumed(buffer);
    const start = buffer * pool.strideBytes;
    t.equal(String(Buffer.from(pool.bytes.slice(start, start + result))), `round ${round}`);
    pool.recycle(buffer);
  }
  close();
});

t.test('a receive without a buffer says so, and works when one is back', async (t) => {
  const { ring, pool, client, fd, next, close } = await bench(2);
  const held = [pool.take(), pool.take()];
  t.equal(pool.take(), -1);
  t.equal(pool.available, 0);
  pool.supply();
  await new Promise((resolve) => client.write('x', resolve));
  submitReceive(ring, fd, pool.group, 0, 0, 0, 0);
  t.equal(next().result, -ERRNO.ENOBUFS);
  for (const buffer of held) pool.recycle(buffer);
  pool.supply();
  submitReceive(ring, fd, pool.group, 0, 0, 0, 0);
  t.equal(next().result, 1);
  close();
});

t.test('the kernel is given twice as many buffers after it ran out of them', async (t) => {
  const { pool, close } = await bench(256);
  const takeAll = (): number[] => {
    const taken: number[] = [];
    for (let buffer = pool.take(); buffer >= 0; buffer = pool.take()) taken.push(buffer);
    return taken;
  };
  pool.supply();
  const taken = takeAll();
  t.equal(taken.length, 192, '64 stand in the ring at first');
  const inRing = Array.from({ length: 256 }, (_, i) => i).filter((b) => !taken.includes(b));
  for (const buffer of inRing) pool.consumed(buffer);
  pool.ranEmpty();
  for (const buffer of [...taken, ...inRing]) pool.recycle(buffer);
  pool.supply();
  t.equal(takeAll().length, 128);
  close();
});

t.test('a buffer that is given back twice breaks an invariant', async (t) => {
  const { pool, close } = await bench(4);
  const buffer = pool.take();
  pool.recycle(buffer);
  t.throws(() => pool.recycle(buffer), /given back once/);
  close();
});

t.test('buffers that lie still give their pages back, those in use keep them', async (t) => {
  const { pool, close } = await bench(8, 65_536);
  const [first, second, kept] = [pool.take(), pool.take(), pool.take()];
  // The page in the middle is wholly the buffer's, wherever it begins.
  const middle = (buffer: number): number => buffer * pool.strideBytes + pool.strideBytes / 2;
  for (const buffer of [first, second, kept]) pool.bytes.fill(42, ...spanOf(pool, buffer));
  pool.recycle(second);
  pool.recycle(first);
  pool.trim();
  t.equal(pool.bytes[middle(first)], 42, 'they were used just now');
  t.equal(pool.take(), first);
  pool.trim();
  t.same([pool.bytes[middle(second)], pool.bytes[middle(first)]], [0, 42]);
  t.equal(pool.bytes[middle(kept)], 42);
  close();
});

t.test('many that lie still give their pages back a few at a time', async (t) => {
  const { pool, close } = await bench(8, 65_536);
  const used = Array.from({ length: 6 }, () => pool.take());
  const middle = (buffer: number): number => buffer * pool.strideBytes + pool.strideBytes / 2;
  const given = (): number => used.filter((buffer) => pool.bytes[middle(buffer)] === 0).length;
  for (const buffer of used) pool.bytes.fill(42, ...spanOf(pool, buffer));
  for (const buffer of used) pool.recycle(buffer);
  pool.trim();
  t.equal(given(), 0, 'they were used just now');
  pool.trim(0, 2);
  t.equal(given(), 2);
  t.equal(pool.trimOn(1), true);
  t.equal(given(), 3);
  // Two of the three that are left are used meanwhile.
  const again = [pool.take(), pool.take()];
  for (const buffer of again) pool.recycle(buffer);
  t.equal(pool.trimOn(8), false);
  t.equal(given(), 4);
  close();
});

t.test('what no turn has needed leaves the ring, gives its pages back and serves on', async (t) => {
  const { ring, pool, client, fd, next, close } = await bench(1024, 65_536);
  const receive = async (): Promise<number> => {
    submitReceive(ring, fd, pool.group, 0, 0, 0, 0);
    await new Promise((resolve) => client.write('x', resolve));
    const { result, flags } = next();
    const buffer = flags >>> CQE_BUFFER_SHIFT;
    pool.consumed(buffer);
    t.equal(String.fromCharCode(pool.bytes[buffer * pool.strideBytes] ?? 0), 'x');
    t.equal(result, 1);
    return buffer;
  };
  pool.supply();
  const burst: number[] = [];
  for (let count = 0; count < 64; count++) burst.push(await receive());
  pool.ranEmpty();
  for (const buffer of burst) pool.recycle(buffer);
  pool.supply();
  t.equal(pool.free, 1024 - 128);
  for (let buffer = 0; buffer < 128; buffer++) pool.bytes.fill(42, ...spanOf(pool, buffer));
  t.equal(pool.settle(), true, 'a burst of 64 needs 128');
  t.equal(pool.free, 1024 - 128);
  t.equal(pool.settle(), false, 'since then nothing was needed');
  t.equal(pool.free, 1024 - 64);
  pool.trim();
  const pages = Array.from({ length: 128 * 16 }, (_, page) => pool.bytes[page * 4096 + 100]);
  const left = pages.filter((byte) => byte === 42).length;
  t.ok(left >= 64 * 16 && left <= 64 * 17 + 2, `${left} pages are left`);
  // Behind the end of those that were left in the ring stand others by now.
  for (let count = 0; count < 200; count++) {
    pool.supply();
    pool.recycle(await receive());
  }
  t.equal(pool.available, 1024 - 128, 'an eighth is kept for others');
  close();
});

function spanOf(pool: BufferPool, buffer: number): [number, number] {
  return [buffer * pool.strideBytes, (buffer + 1) * pool.strideBytes];
}
