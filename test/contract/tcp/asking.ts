/** TCP contract: a backend is asked something before the relay; its first byte is the answer. */
import type { Test } from 'tap';
import { type MakeEngine, settled, withEngine } from './bench.js';

export function askingContract(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'the first byte of a backend may be an answer', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = {
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, Buffer.from('ask?')),
      dialled: (pair) => driver.engine.ask(pair),
      asked: (pair) => driver.engine.relay(pair),
    };
    const client = await bench.connect();
    client.send('held ');
    const peer = await backend.next();
    t.equal(await peer.takeText(4), 'ask?');
    await settled(() => peer.unread);
    t.equal(peer.unread, 0, 'nothing of the client comes before the answer');
    peer.send('Sgreeting');
    t.match(await driver.next('asked'), { byte: 0x53 });
    client.finish('late');
    t.equal(String(await peer.rest()), 'held late');
    peer.finish('');
    t.equal(String(await client.rest()), 'greeting');
    const { pair } = await driver.next('closed');
    t.equal(driver.engine.bytesOut[pair ?? 0], 8, 'the answer does not count as relayed');
    t.equal(driver.count('firstByte'), 1);
  });

  withEngine(t, make, 'a relay may begin after `asked`', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = {
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, Buffer.from('?')),
      dialled: (pair) => driver.engine.ask(pair),
    };
    const client = await bench.connect();
    const peer = await backend.next();
    peer.send('S');
    const { pair } = await driver.next('asked');
    peer.send('more');
    client.send('early');
    await settled(() => peer.unread);
    if (pair !== null) driver.engine.relay(pair);
    t.equal(await peer.takeText(6), '?early');
    t.equal(await client.takeText(4), 'more');
  });

  withEngine(t, make, 'one that is asked may leave, and so may its client', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = {
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null),
      dialled: (pair) => driver.engine.ask(pair),
      asked: (pair) => driver.close(pair, 'reset'),
    };
    await bench.connect();
    (await backend.next()).finish('');
    t.match(await driver.next('asked'), { byte: null });
    t.same(await driver.nextEnd(), { kind: 'closed' });
    await driver.next('dialled');
    await bench.connect();
    await driver.next('dialled');
    (await backend.next()).reset();
    t.same(await driver.nextEnd(), { kind: 'reset', by: 'backend' });
    const client = await bench.connect();
    await driver.next('dialled');
    client.reset();
    t.same(await driver.nextEnd(), { kind: 'client-gone' });
  });

  for (const how of ['reset', 'flush'] as const) {
    withEngine(t, make, `while it is asked a session may end (${how})`, async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = {
        accepted: (pair) => driver.engine.dial(pair, backend.endpoint, Buffer.from('?')),
        dialled: (pair) => driver.engine.ask(pair),
      };
      const client = await bench.connect();
      const peer = await backend.next();
      await peer.takeText(1);
      const { pair } = await driver.next('dialled');
      if (pair !== null) driver.close(pair, how);
      client.finish('');
      peer.finish(how === 'flush' ? 'answer' : '');
      t.same(await driver.nextEnd(), { kind: 'closed' });
      t.equal(driver.count('asked'), 0);
    });
  }
}
