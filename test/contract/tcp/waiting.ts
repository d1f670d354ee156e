/** TCP contract: a client that waits for its relay is read ahead, within bounds, and watched. */
import type { Test } from 'tap';
import { HELD_BYTES } from '../../../src/session/tcp_port.js';
import { type MakeEngine, settled, withEngine } from './bench.js';

export function waitingContract(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a client that resets is gone, whatever it sent', async (bench, t) => {
    const client = await bench.connect();
    await bench.driver.next('accepted');
    client.send('bytes');
    await settled(() => 0);
    client.reset();
    t.same(await bench.driver.nextEnd(), { kind: 'client-gone' });
  });

  withEngine(t, make, 'a client that sends and then ends is served', async (bench, t) => {
    const { driver, backend } = bench;
    const client = await bench.connect();
    const pair = await driver.nextPair();
    client.finish('question');
    await settled(() => driver.edges.length);
    driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
    driver.engine.dial(pair, backend.endpoint, null);
    const peer = await backend.next();
    t.equal(String(await peer.rest()), 'question');
    peer.finish('answer');
    t.equal(String(await client.rest()), 'answer');
    t.same(await driver.nextEnd(), { kind: 'finished', first: 'client' });
  });

  for (const said of ['nothing', 'bytes']) {
    withEngine(
      t,
      make,
      `a client that said ${said}, finished, and resets while it waits, is gone`,
      async (bench, t) => {
        const client = await bench.connect();
        await bench.driver.next('accepted');
        client.finish(said === 'nothing' ? '' : said);
        await settled(() => 0);
        client.reset();
        t.same(await bench.endInTime(1_000), { kind: 'client-gone' });
      },
    );
  }

  withEngine(
    t,
    make,
    'a unix client that says something and leaves is served',
    async (bench, t) => {
      const { driver, backend } = bench;
      const client = await bench.connect();
      const pair = await driver.nextPair();
      client.finish('message');
      await settled(() => 0);
      client.socket.destroy();
      await settled(() => 0);
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      driver.engine.dial(pair, backend.endpoint, null);
      t.equal(String(await (await backend.next()).rest()), 'message');
    },
    { listen: 'unix' },
  );

  withEngine(
    t,
    make,
    'a client that goes while its backend is dialled is gone',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = { accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null) };
      const client = await bench.connect();
      await driver.next('dialled');
      client.reset();
      t.same(await driver.nextEnd(), { kind: 'client-gone' });
      await (await backend.next()).ending();
    },
  );

  // A unix socket's buffers are small and fixed, so that reading ahead can be read from them.
  withEngine(
    t,
    make,
    'a client is read ahead only so far, and every byte is kept',
    async (bench, t) => {
      const { driver, backend } = bench;
      const client = await bench.connect();
      const pair = await driver.nextPair();
      const sent = Buffer.alloc(32 * HELD_BYTES, 'the quick brown fox ');
      const flow = client.pour(sent);
      await settled(() => flow.takenBytes);
      t.ok(flow.takenBytes < 16 * HELD_BYTES, `${flow.takenBytes} of ${sent.length} were taken`);
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      driver.engine.dial(pair, backend.endpoint, null);
      const got = await (await backend.next()).rest();
      t.ok(got.equals(sent));
      t.equal(driver.engine.bytesIn[pair], sent.length);
    },
    { listen: 'unix' },
  );
}
