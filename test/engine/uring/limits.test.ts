/** The engine's limits, each made small enough to be met: sessions go on correctly. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { SIZES, type Sizes } from '../../../src/engine/uring/means.js';
import { BufferPool } from '../../../src/kernel/buffer_pool.js';
import { type Bench, withEngine } from '../../contract/tcp/bench.js';
import { testKernel } from '../../support/uring_engine.js';
import { makerOf } from './harness.js';
import { type WatchedKernel, watchedKernel } from './watched_kernel.js';

const CLIENTS = 24;
/** For a direction to count as bulk and change to splice(2). */
const BULK_BYTES = 1_500_000;
const SOME_BYTES = 300_000;

limit('a submission queue of 8 entries', { entries: 8 }, SOME_BYTES, (t, { mostSubmitted }) => {
  t.equal(mostSubmitted, 8, 'it was full');
});

const few = { entries: 8, completions: 8 };
limit('a completion queue of 8 entries', few, SOME_BYTES, (t, { overflows }) => {
  t.ok(overflows > 0, `it overflowed ${overflows} times`);
});

limit('a pool of 4 buffers', { buffers: 4 }, SOME_BYTES, (t, _, timesEmpty) => {
  t.ok(timesEmpty > 0, `it was empty ${timesEmpty} times`);
});

const without = watchedKernel(testKernel(), 'none');
limit(
  'no pipe',
  {},
  BULK_BYTES,
  (t, { pipes, splicedBytes }) => {
    t.ok(pipes > 0, `${pipes} were asked for`);
    t.equal(splicedBytes, 0);
  },
  without,
);

for (const refused of ['splice', 'splice out of a pipe'] as const) {
  limit(
    `refused: ${refused}`,
    {},
    BULK_BYTES,
    (t, { pipes, splicedBytes }) => {
      t.ok(pipes > 0 && pipes <= 2 * CLIENTS, `${pipes} pipes were tried`);
      if (refused === 'splice') t.equal(splicedBytes, 0);
      else t.ok(splicedBytes > 0, `${splicedBytes} bytes came back from a pipe`);
    },
    watchedKernel(testKernel(), 'some', refused),
  );
}

type Met = (t: Test, watched: WatchedKernel, timesEmpty: number) => void;

/** With `small`, all clients get `bytes` of their own back, at once. */
function limit(
  name: string,
  small: Partial<Sizes>,
  bytes: number,
  met: Met,
  watched = watchedKernel(testKernel(), 'some'),
): void {
  const { kernel } = watched;
  const sizes = { ...SIZES, ...small };
  const make = makerOf({ sockets: 'descriptor', time: 'real', kernel, sizes });
  withEngine(t, make, `with ${name} every session gets its bytes`, async (bench, t) => {
    const empty = timesEmpty(t);
    echo(bench);
    const wrong = await Promise.all(
      Array.from({ length: CLIENTS }, (_, id) => exchange(bench, id, bytes)),
    );
    t.same(
      wrong.filter((what) => what !== null),
      [],
    );
    while (bench.driver.count('closed') < CLIENTS) await bench.driver.next('closed');
    met(t, watched, empty());
  });
}

/** Counts how often a receive found no buffer while the test goes on. */
function timesEmpty(t: Test): () => number {
  const { ranEmpty } = BufferPool.prototype;
  let times = 0;
  BufferPool.prototype.ranEmpty = function (this: BufferPool): void {
    times++;
    ranEmpty.call(this);
  };
  t.teardown(() => {
    BufferPool.prototype.ranEmpty = ranEmpty;
  });
  return () => times;
}

function echo(bench: Bench): void {
  bench.driver.proxyTo(bench.backend.endpoint);
  bench.backend.serve(({ socket }) => {
    socket.on('end', () => socket.end());
    socket.pipe(socket, { end: false });
  });
}

/** Sends `bytes` that only this client sends; null when the same came back. */
async function exchange(bench: Bench, id: number, bytes: number): Promise<string | null> {
  const client = await bench.connect();
  const sent = Buffer.alloc(bytes, `${id},`);
  for (let at = 0; at < bytes; at += 1000) sent.writeUInt32LE(at, at);
  client.finish(sent);
  const came = await client.rest();
  const same = sha256(came) === sha256(sent);
  return same ? null : `client ${id}: ${came.length} of ${bytes} bytes, or others`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
