/** TCP contract: before its sockets close, a pair that had a backend can be asked how they did. */
import type { Test } from 'tap';
import { type Bench, type MakeEngine, withEngine } from './bench.js';

/** How both connections of a relayed pair come to their end. */
const ENDS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'an end in order': async (bench) => {
    const { client, backend } = await exchanged(bench);
    client.finish('');
    backend.finish('');
    await Promise.all([client.rest(), backend.rest()]);
  },
  'a client that resets': async (bench) => (await exchanged(bench)).client.reset(),
  'a backend that resets': async (bench) => (await exchanged(bench)).backend.reset(),
  'a flush': async (bench) => {
    const { client, backend } = await exchanged(bench);
    bench.driver.close(await bench.driver.nextPair(), 'flush');
    client.finish('');
    backend.finish('');
  },
  'a cut': async (bench) => {
    await exchanged(bench);
    bench.driver.close(await bench.driver.nextPair(), 'reset');
  },
};

export function partingContract(t: Test, make: MakeEngine): void {
  for (const [name, end] of Object.entries(ENDS)) {
    withEngine(t, make, `the ways to both peers are known at ${name}`, async (bench, t) => {
      const { driver, under } = bench;
      await end(bench);
      await driver.next('closed');
      const sides = driver.partings.flatMap(({ client, backend }) => [client, backend]);
      const known = sides.flatMap((side) => (side === null ? [] : [side]));
      if (under.without === 'foreign calls') {
        t.same(known, [], 'there is no connection to ask about');
        return;
      }
      // Of a connection that is broken Node.js may have closed the socket already.
      t.ok(known.length > 0, `${known.length} of ${sides.length}`);
      for (const { rttMs, retransmits } of known) {
        t.ok(rttMs === null || (rttMs > 0 && rttMs < 10_000), `${rttMs} ms`);
        t.ok(retransmits >= 0 && retransmits < 1_000, `${retransmits} retransmits`);
      }
    });
  }

  withEngine(t, make, 'both sides of a session in order are known', async (bench, t) => {
    const { driver, under } = bench;
    await ENDS['an end in order']?.(bench);
    await driver.next('closed');
    if (under.without === 'foreign calls') return;
    t.match(driver.partings.at(-1), { client: { rttMs: Number }, backend: { rttMs: Number } });
  });

  withEngine(t, make, 'a pair without a backend parts without one', async (bench, t) => {
    const { driver } = bench;
    await bench.connect();
    driver.close(await driver.nextPair(), 'reset');
    await driver.next('closed');
    t.same(driver.partings, []);
  });
}

async function exchanged(bench: Bench) {
  const both = await bench.relayed();
  both.client.send('question');
  await both.backend.takeText(8);
  both.backend.send('answer');
  await both.client.takeText(6);
  return both;
}
