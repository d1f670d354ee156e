/** TCP contract: a reset becomes a reset on the other side, behind what was read before it. */
import type { Test } from 'tap';
import { LINGER_MS } from '../../../src/session/tcp_port.js';
import { type MakeEngine, settled, turn, withEngine } from './bench.js';

const MUCH_BYTES = 1024 * 1024;

export function resetContract(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'a client that resets: the backend gets the bytes, then a reset',
    async (bench, t) => {
      const { client, backend } = await bench.relayed();
      client.send('last words');
      t.equal(await backend.takeText(10), 'last words');
      client.reset();
      t.equal(await backend.ending(), 'reset');
      t.same(await bench.driver.nextEnd(), { kind: 'reset', by: 'client' });
    },
  );

  withEngine(
    t,
    make,
    'a backend that resets: the client gets the bytes, then a reset',
    async (bench, t) => {
      const { client, backend } = await bench.relayed();
      backend.send('last words');
      t.equal(await client.takeText(10), 'last words');
      backend.reset();
      t.equal(await client.ending(), 'reset');
      t.same(await bench.driver.nextEnd(), { kind: 'reset', by: 'backend' });
    },
  );

  withEngine(t, make, 'bytes that race a reset arrive before it', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    backend.send('x'.repeat(10_000));
    backend.reset();
    t.equal((await client.take(10_000)).length, 10_000);
    t.equal(await client.ending(), 'reset');
  });

  // Whatever the engine is doing in that turn: receiving, or about to receive again.
  withEngine(t, make, 'a reset right behind bytes is noticed in any turn', async (bench, t) => {
    for (let turns = 0; turns < 8; turns++) {
      const { client, backend } = await bench.relayed();
      client.send('one');
      for (let n = 0; n < turns; n++) await turn();
      client.send('two');
      client.reset();
      t.same(await bench.driver.nextEnd(), { kind: 'reset', by: 'client' });
      t.equal(await backend.ending(), 'reset');
    }
  });

  withEngine(
    t,
    make,
    'what was read before a reset reaches even a slow client',
    async (bench, t) => {
      const { driver } = bench;
      const { client, backend } = await bench.relayed();
      const pair = await driver.nextPair();
      client.socket.pause();
      backend.send(Buffer.alloc(MUCH_BYTES, 'abc'));
      await settled(() => driver.engine.bytesOut[pair] ?? 0);
      backend.reset();
      await settled(() => driver.edges.length);
      client.socket.resume();
      t.same(await bench.endInTime(LINGER_MS), { kind: 'reset', by: 'backend' });
      const readBytes = driver.engine.bytesOut[pair] ?? 0;
      t.equal((await client.take(readBytes)).length, readBytes);
      t.equal(await client.ending(), 'reset');
    },
  );

  withEngine(t, make, 'a reset behind a FIN is noticed by what is sent to it', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    client.finish('question');
    t.equal(String(await backend.rest()), 'question');
    client.reset();
    backend.send('nobody is there');
    t.same(await bench.driver.nextEnd(), { kind: 'reset', by: 'client' });
    backend.send('nor here');
    t.equal(await backend.resetComes(), true);
  });

  // It must not look like an end in order: the other side would take what it has for everything.
  withEngine(t, make, 'a reset right behind bytes is noticed after a FIN', async (bench, t) => {
    for (const side of ['backend', 'client'] as const) {
      const { client, backend } = await bench.relayed();
      const [first, last] = side === 'backend' ? [client, backend] : [backend, client];
      first.finish('question');
      t.equal(String(await last.rest()), 'question');
      last.send('x'.repeat(10_000));
      last.reset();
      t.equal((await first.take(10_000)).length, 10_000);
      const end = await bench.driver.nextEnd();
      // Node.js does not say, and an engine without foreign calls cannot ask the kernel.
      if (bench.under.without === 'foreign calls' && end.kind === 'finished') continue;
      t.same(end, { kind: 'reset', by: side });
    }
  });
}
