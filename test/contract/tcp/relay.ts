/** TCP contract: bytes and ends of stream pass both ways, in order, whole, and within memory. */
import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import type { Peer } from '../../support/peer.js';
import { type MakeEngine, settled, withEngine } from './bench.js';

export function relayContract(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'bytes pass both ways and are counted', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    const pair = await bench.driver.nextPair();
    backend.send('welcome');
    t.equal(await client.takeText(7), 'welcome');
    client.send('ask');
    t.equal(await backend.takeText(3), 'ask');
    backend.send('answer');
    t.equal(await client.takeText(6), 'answer');
    t.equal(bench.driver.engine.bytesIn[pair], 3);
    t.equal(bench.driver.engine.bytesOut[pair], 13);
    t.equal(bench.driver.count('firstByte'), 1, 'the first byte is reported once');
  });

  halfClose(t, make);
  idleness(t, make);
  bulk(t, make);
}

function halfClose(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a client that ended still gets its answer 2 s later', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    client.finish('question');
    t.equal(String(await backend.rest()), 'question');
    await bench.under.pass(2_000);
    backend.send('part one ');
    t.equal(await client.takeText(9), 'part one ');
    await bench.under.pass(2_000);
    backend.finish('part two');
    t.equal(String(await client.rest()), 'part two');
    t.same(await bench.driver.nextEnd(), { kind: 'finished', first: 'client' });
  });

  withEngine(t, make, 'a backend that ended still gets what comes 2 s later', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    backend.finish('that is all');
    t.equal(String(await client.rest()), 'that is all');
    await bench.under.pass(2_000);
    client.send('more ');
    t.equal(await backend.takeText(5), 'more ');
    await bench.under.pass(2_000);
    client.finish('and more');
    t.equal(String(await backend.rest()), 'and more');
    t.same(await bench.driver.nextEnd(), { kind: 'finished', first: 'backend' });
  });
}

function idleness(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'each byte, either way, moves the time of the last activity',
    async (bench, t) => {
      const { engine } = bench.under;
      const { client, backend } = await bench.relayed();
      const pair = await bench.driver.nextPair();
      const activeAfter = async (what: string, from: Peer, to: Peer): Promise<void> => {
        await bench.under.pass(10);
        const before = engine.clock.nowMs();
        t.ok((engine.tcp.lastActivityMs[pair] ?? 0) < before, `idle before ${what}`);
        from.send('x');
        await to.take(1);
        t.ok((engine.tcp.lastActivityMs[pair] ?? 0) >= before, `active after ${what}`);
      };
      await activeAfter('a byte in', client, backend);
      await activeAfter('a byte out', backend, client);
      client.finish();
      await backend.rest();
      await activeAfter('a byte out, half-closed', backend, client);
    },
  );

  withEngine(t, make, 'accepting and relaying count as activity', async (bench, t) => {
    const { engine } = bench.under;
    const { driver } = bench;
    await bench.under.pass(10);
    const before = engine.clock.nowMs();
    await bench.connect();
    const pair = await driver.nextPair();
    t.ok((engine.tcp.lastActivityMs[pair] ?? 0) >= before);
    await bench.under.pass(10);
    driver.engine.dial(pair, bench.backend.endpoint, null);
    await driver.next('dialled');
    const between = engine.clock.nowMs();
    driver.engine.relay(pair);
    t.ok((engine.tcp.lastActivityMs[pair] ?? 0) >= between);
  });
}

const BULK_BYTES = 50 * 1024 * 1024;
/** More than all kernel buffers on the way (four unix sockets of 208 KiB) and the engine's own. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;

function bulk(t: Test, make: MakeEngine): void {
  // Unix sockets: their windows are tiny, so that nearly all of it would have to be in the engine.
  for (const way of ['to the backend', 'to the client'] as const) {
    withEngine(
      t,
      make,
      `50 MiB ${way} pass a paused reader whole, and only a bounded part is on its way`,
      async (bench, t) => {
        const { client, backend } = await bench.relayed();
        const [from, to] = way === 'to the backend' ? [client, backend] : [backend, client];
        to.socket.pause();
        const sent = pattern(BULK_BYTES);
        const flow = from.pour(sent);
        await settled(() => flow.takenBytes);
        t.ok(flow.takenBytes < IN_FLIGHT_BYTES, `${flow.takenBytes} bytes are on their way`);
        t.equal(await digestInPieces(to), digest(sent));
      },
      { listen: 'unix', backend: 'unix' },
    );
  }

  withEngine(t, make, '8 MiB cross each other', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    const sent = pattern(8 * 1024 * 1024);
    client.pour(sent);
    backend.pour(sent);
    const [there, back] = await Promise.all([backend.rest(), client.rest()]);
    t.ok(there.equals(sent) && back.equals(sent));
    const { end } = await bench.driver.next('closed');
    t.equal(end?.kind, 'finished');
  });
}

/** Bytes that do not repeat within any buffer's length: a linear congruential sequence. */
function pattern(bytes: number): Buffer {
  const words = new Uint32Array(bytes / 4);
  let word = 1;
  for (let i = 0; i < words.length; i++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    words[i] = word;
  }
  return Buffer.from(words.buffer);
}

/** Reads until FIN, stopping after each piece for a turn of the event loop. */
function digestInPieces(peer: Peer): Promise<string> {
  const hash = createHash('sha256');
  const { socket } = peer;
  socket.removeAllListeners('data');
  socket.on('data', (piece: Buffer) => {
    hash.update(piece);
    socket.pause();
    setImmediate(() => socket.resume());
  });
  socket.resume();
  return peer.ending().then((ending) => (ending === 'ended' ? hash.digest('hex') : ending));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
