/** TCP contract: reading, and answering, a client's first bytes before anything is dialled. */
import type { Test } from 'tap';
import { ANSWER_BYTES, LINGER_MS } from '../../../src/session/tcp_port.js';
import type { TcpDriver } from '../../support/tcp_driver.js';
import { EARLY_BYTES, type MakeEngine, settled, withEngine } from './bench.js';

export function headerContract(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'header bytes are reported from the first on, each time',
    async (bench, t) => {
      const { driver } = bench;
      driver.answers = { accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES) };
      const client = await bench.connect();
      client.send('PRO');
      t.equal(String((await driver.next('earlyBytes')).bytes), 'PRO');
      client.send('XY ');
      t.equal(String((await driver.next('earlyBytes')).bytes), 'PROXY ');
    },
  );

  withEngine(
    t,
    make,
    'what follows the header is the first that the backend gets',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = {
        accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES),
        earlyBytes: (pair) => {
          driver.engine.earlyDone(pair, 6);
          driver.engine.dial(pair, backend.endpoint, null);
        },
        dialled: (pair) => driver.engine.relay(pair),
      };
      const client = await bench.connect();
      client.send('HEADERfirst ');
      const peer = await backend.next();
      client.finish('second');
      t.equal(String(await peer.rest()), 'first second');
      const pair = await driver.nextPair();
      t.equal(driver.engine.bytesIn[pair], 12, 'the header does not count as relayed');
    },
  );

  withEngine(
    t,
    make,
    'no more than the longest header is reported, and no byte lost',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = { accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES) };
      const client = await bench.connect();
      const sent = Buffer.alloc(3 * EARLY_BYTES, 'abcdefg');
      client.finish(sent);
      let reported: Buffer = Buffer.alloc(0);
      while (reported.length < EARLY_BYTES) {
        reported = (await driver.next('earlyBytes')).bytes ?? reported;
      }
      t.ok(reported.equals(sent.subarray(0, EARLY_BYTES)));
      const pair = await driver.nextPair();
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      driver.engine.earlyDone(pair, 10);
      driver.engine.dial(pair, backend.endpoint, null);
      const got = await (await backend.next()).rest();
      t.ok(got.equals(sent.subarray(10)));
    },
  );

  withEngine(
    t,
    make,
    'bytes that came before the header was asked for are reported',
    async (bench, t) => {
      const { driver } = bench;
      const client = await bench.connect();
      client.send('PROXY ');
      const pair = await driver.nextPair();
      await settled(() => driver.edges.length);
      driver.engine.readEarly(pair, EARLY_BYTES);
      t.equal(String((await driver.next('earlyBytes')).bytes), 'PROXY ');
      client.send('TCP4');
      t.equal(String((await driver.next('earlyBytes')).bytes), 'PROXY TCP4');
    },
  );

  withEngine(
    t,
    make,
    'a reading may follow another, and reports what that has left',
    async (bench, t) => {
      const { driver } = bench;
      driver.answers = { accepted: (pair) => driver.engine.readEarly(pair, 2) };
      const client = await bench.connect();
      client.send('abcdef');
      t.equal(String((await driver.next('earlyBytes')).bytes), 'ab');
      const pair = await driver.nextPair();
      driver.engine.earlyDone(pair, 1);
      await settled(() => driver.edges.length);
      t.equal(driver.count('earlyBytes'), 1, 'nothing is reported between two readings');
      driver.engine.readEarly(pair, 4);
      await until(driver, 'bcde');
      driver.engine.earlyDone(pair, 0);
      driver.engine.readEarly(pair, EARLY_BYTES);
      await until(driver, 'bcdef');
      client.send('g');
      await until(driver, 'bcdefg');
    },
  );

  withEngine(
    t,
    make,
    'an answer is the first that the client gets, whatever follows',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = {
        accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES),
        earlyBytes: (pair, bytes) => {
          driver.engine.answer(pair, Buffer.from(`${bytes.length} bytes, `));
          driver.engine.earlyDone(pair, 3);
          driver.engine.dial(pair, backend.endpoint, null);
          driver.engine.answer(pair, Buffer.from('dialling, '));
        },
        dialled: (pair) => driver.engine.relay(pair),
      };
      const client = await bench.connect();
      client.send('askmore');
      const peer = await backend.next();
      t.equal(String(await peer.take(4)), 'more');
      peer.finish('the backend');
      t.equal(String(await client.rest()), '7 bytes, dialling, the backend');
      const pair = await driver.nextPair();
      t.equal(driver.engine.bytesOut[pair], 11, 'an answer does not count as relayed');
    },
  );

  withEngine(t, make, 'an answer arrives before a flush ends the pair', async (bench, t) => {
    const { driver } = bench;
    driver.answers = {
      accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES),
      earlyBytes: (pair) => {
        driver.engine.answer(pair, Buffer.alloc(ANSWER_BYTES, 'no'));
        driver.close(pair, 'flush');
      },
    };
    const client = await bench.connect();
    client.send('something, and more of it');
    t.equal(String(await client.rest()), 'no'.repeat(ANSWER_BYTES / 2));
    client.finish();
    t.same(await bench.endInTime(LINGER_MS), { kind: 'closed' });
  });

  withEngine(t, make, 'a client that ends inside its header is gone', async (bench, t) => {
    const { driver } = bench;
    driver.answers = { accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES) };
    const client = await bench.connect();
    client.finish('PROX');
    t.same(await driver.nextEnd(), { kind: 'client-gone' });
    t.equal(await client.ending(), 'ended');
  });
}

/** Waits until exactly `text` is reported; before that, less may be. */
async function until(driver: TcpDriver, text: string): Promise<void> {
  for (;;) {
    const { bytes } = await driver.next('earlyBytes');
    if (String(bytes) === text) return;
    if (!text.startsWith(String(bytes))) throw new Error(`reported: ${bytes}`);
  }
}
