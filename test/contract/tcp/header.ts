/** TCP contract: reading a header before anything is dialled. */
import type { Test } from 'tap';
import { MAX_PROXY_HEADER_BYTES } from '../../../src/core/limits.js';
import { type MakeEngine, settled, withEngine } from './bench.js';

export function headerContract(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'header bytes are reported from the first on, each time',
    async (bench, t) => {
      const { driver } = bench;
      driver.answers = { accepted: (pair) => driver.engine.readHeader(pair) };
      const client = await bench.connect();
      client.send('PRO');
      t.equal(String((await driver.next('headerBytes')).bytes), 'PRO');
      client.send('XY ');
      t.equal(String((await driver.next('headerBytes')).bytes), 'PROXY ');
    },
  );

  withEngine(
    t,
    make,
    'what follows the header is the first that the backend gets',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = {
        accepted: (pair) => driver.engine.readHeader(pair),
        headerBytes: (pair) => {
          driver.engine.headerDone(pair, 6);
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
      driver.answers = { accepted: (pair) => driver.engine.readHeader(pair) };
      const client = await bench.connect();
      const sent = Buffer.alloc(3 * MAX_PROXY_HEADER_BYTES, 'abcdefg');
      client.finish(sent);
      let reported: Buffer = Buffer.alloc(0);
      while (reported.length < MAX_PROXY_HEADER_BYTES) {
        reported = (await driver.next('headerBytes')).bytes ?? reported;
      }
      t.ok(reported.equals(sent.subarray(0, MAX_PROXY_HEADER_BYTES)));
      const pair = await driver.nextPair();
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      driver.engine.headerDone(pair, 10);
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
      driver.engine.readHeader(pair);
      t.equal(String((await driver.next('headerBytes')).bytes), 'PROXY ');
      client.send('TCP4');
      t.equal(String((await driver.next('headerBytes')).bytes), 'PROXY TCP4');
    },
  );

  withEngine(t, make, 'a client that ends inside its header is gone', async (bench, t) => {
    const { driver } = bench;
    driver.answers = { accepted: (pair) => driver.engine.readHeader(pair) };
    const client = await bench.connect();
    client.finish('PROX');
    t.same(await driver.nextEnd(), { kind: 'client-gone' });
    t.equal(await client.ending(), 'ended');
  });
}
