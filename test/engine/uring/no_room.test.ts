/** Data that finds no place any more ends its pair, as a limit, and no other pair. */
import type { Socket } from 'node:net';
import t from 'tap';
import { SIZES } from '../../../src/engine/uring/means.js';
import { type Bench, withEngine } from '../../contract/tcp/bench.js';
import { connectPeer } from '../../support/peer.js';
import { testKernel } from '../../support/uring_engine.js';
import { makerOf } from './harness.js';
import { watchedKernel } from './watched_kernel.js';

const NO_ROOM = {
  kind: 'limit',
  sentence: 'too much data waits for peers that do not take it',
};
const CROWD = 12;
const CHUNK = Buffer.alloc(65_536, 'x');

const few = makerOf({
  sockets: 'descriptor',
  time: 'real',
  sizes: { ...SIZES, buffers: 8, small: 2, pipes: 0 },
});

withEngine(t, few, 'the pair that stands still longest without room ends', async (bench, t) => {
  serveBoth(bench);
  const other = await connectPeer(bench.listener);
  other.send('echo');
  t.equal(await other.takeText(4), 'echo');
  for (let id = 0; id < CROWD; id++) await neverReads(bench);
  t.same(await bench.driver.nextEnd(), NO_ROOM);
  for (let round = 0; round < 20; round++) {
    other.send('once more');
    t.equal(await other.takeText(9), 'once more');
  }
  const ends = bench.driver.edges.flatMap(({ end }) => end ?? []);
  t.ok(ends.length < CROWD, `${ends.length} had to end`);
  t.same(
    ends.filter(({ kind }) => kind !== 'limit'),
    [],
  );
});

const refused = watchedKernel(testKernel(), 'some', 'splice out of a pipe');
const none = makerOf({
  sockets: 'descriptor',
  time: 'real',
  kernel: refused.kernel,
  sizes: { ...SIZES, small: 0 },
});

withEngine(t, none, 'what stays in a pipe and finds no room ends its pair', async (bench, t) => {
  serveBoth(bench);
  const client = await connectPeer(bench.listener);
  client.send('flood');
  t.same(await bench.driver.nextEnd(), NO_ROOM);
  const other = await connectPeer(bench.listener);
  other.send('echo');
  t.equal(await other.takeText(4), 'echo');
});

/** A client that says "flood" gets bytes without end; every other one what it sent. */
function serveBoth(bench: Bench): void {
  bench.driver.proxyTo(bench.backend.endpoint);
  bench.backend.serve(({ socket }) => {
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      if (chunk.toString() === 'flood') pour(socket);
      else socket.write(chunk);
    });
  });
}

async function neverReads(bench: Bench): Promise<void> {
  const client = await connectPeer(bench.listener);
  client.socket.pause();
  client.send('flood');
}

function pour(socket: Socket): void {
  socket.write(CHUNK, (error) => {
    if (!error && !socket.destroyed) pour(socket);
  });
}
