/** TCP contract: what a backend says in the relay is reported, until that is enough. */
import type { Test } from 'tap';
import { type Bench, type MakeEngine, withEngine } from './bench.js';

/** More than an engine moves by buffers alone. */
const MUCH_BYTES = 1_000_000;

function overhears({ driver, backend }: Bench): void {
  driver.answers = {
    accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null),
    dialled: (pair) => {
      driver.engine.overhear(pair);
      driver.engine.relay(pair);
    },
  };
}

const heardBy = ({ driver }: Bench): Buffer =>
  Buffer.concat(driver.edges.flatMap(({ kind, bytes }) => (kind === 'heard' && bytes) || []));

export function overhearingContract(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a backend is overheard until it has said enough', async (bench, t) => {
    overhears(bench);
    const { driver, backend } = bench;
    const client = await bench.connect();
    const peer = await backend.next();
    client.send('question');
    t.equal(await peer.takeText(8), 'question');
    peer.send('one');
    t.equal(await client.takeText(3), 'one');
    peer.send('two');
    t.equal(await client.takeText(3), 'two', 'what is overheard is relayed');
    t.equal(String(heardBy(bench)), 'onetwo', 'before the client has it');
    const { pair } = await driver.next('heard');
    if (pair !== null) driver.engine.overhearDone(pair);
    peer.send('three');
    t.equal(await client.takeText(5), 'three');
    t.equal(String(heardBy(bench)), 'onetwo');
    const kinds = driver.edges.map(({ kind }) => kind);
    t.ok(kinds.indexOf('firstByte') < kinds.indexOf('heard'));
    t.equal(driver.count('firstByte'), 1);
  });

  withEngine(t, make, 'enough may be known inside of `heard`', async (bench, t) => {
    overhears(bench);
    const { driver, backend } = bench;
    driver.answers.heard = (pair) => driver.engine.overhearDone(pair);
    const client = await bench.connect();
    const peer = await backend.next();
    peer.send('key');
    t.equal(await client.takeText(3), 'key');
    peer.finish('more');
    client.finish('');
    t.equal(String(await client.rest()), 'more');
    await driver.next('closed');
    t.equal(String(heardBy(bench)), 'key');
    t.equal(driver.engine.bytesOut[0], 7);
  });

  withEngine(t, make, 'every byte of much is reported once and in order', async (bench, t) => {
    overhears(bench);
    const { driver, backend } = bench;
    const client = await bench.connect();
    const peer = await backend.next();
    const much = Buffer.alloc(MUCH_BYTES, 'abcdefghijklmnopqrstuvwxyz0123456789_');
    peer.finish(much);
    client.finish('');
    t.ok((await client.rest()).equals(much));
    await driver.next('closed');
    t.ok(heardBy(bench).equals(much));
  });

  withEngine(
    t,
    make,
    'a pair may end while it is overheard, and the next one is not',
    async (bench, t) => {
      overhears(bench);
      const { driver, backend } = bench;
      driver.answers.heard = (pair) => driver.close(pair, 'reset');
      await bench.connect();
      (await backend.next()).send('bad');
      t.same(await driver.nextEnd(), { kind: 'closed' });
      const second = await bench.relayed();
      second.backend.send('unheard');
      t.equal(await second.client.takeText(7), 'unheard');
      t.equal(driver.count('heard'), 1);
    },
  );

  withEngine(t, make, 'an asked backend is overheard behind its answer', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = {
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, Buffer.from('?')),
      dialled: (pair) => driver.engine.ask(pair),
      asked: (pair) => {
        driver.engine.overhear(pair);
        driver.engine.relay(pair);
      },
    };
    const client = await bench.connect();
    const peer = await backend.next();
    await peer.takeText(1);
    peer.send('Sgreeting');
    t.equal(await client.takeText(8), 'greeting');
    t.equal(String(heardBy(bench)), 'greeting');
  });
}
