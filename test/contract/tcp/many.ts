/** TCP contract: thousands of short sessions over few numbers, none of them mixed up. */
import type { Test } from 'tap';
import { type MakeEngine, withEngine } from './bench.js';

const SESSIONS = 2_000;
const AT_ONCE = 20;
const PAIRS = 32;

export function manyContract(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    `${SESSIONS} sessions over ${PAIRS} numbers each get their own bytes back`,
    async (bench, t) => {
      bench.driver.proxyTo(bench.backend.endpoint);
      bench.backend.serve((peer) => {
        peer.socket.on('data', (bytes: Buffer) => peer.send(bytes));
        peer.socket.on('end', () => peer.finish());
      });
      // Counters are read where the session reads them.
      let bytes = 0;
      bench.driver.answers.closed = (pair) => {
        const { bytesIn, bytesOut } = bench.driver.engine;
        bytes += (bytesIn[pair] ?? 0) + (bytesOut[pair] ?? 0);
      };
      let wrong = 0;
      let sent = 0;
      const run = async (from: number): Promise<void> => {
        for (let i = from; i < SESSIONS; i += AT_ONCE) {
          const client = await bench.connect();
          const words = `session ${i}`;
          sent += words.length;
          if (i % 3 === 0) client.finish(words);
          else client.send(words);
          if ((await client.takeText(words.length)) !== words) wrong++;
          if (i % 3 === 1) client.reset();
          else if (i % 3 === 2) client.finish();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, (_, from) => run(from)));
      while (bench.driver.count('closed') < SESSIONS) await bench.driver.next('closed');
      t.equal(wrong, 0);
      t.equal(bytes, 2 * sent, 'each byte was counted once a way');
      t.equal(bench.driver.openPairs, 0);
      t.equal(bench.driver.count('accepted'), SESSIONS);
      const used = new Set(bench.driver.edges.map((edge) => edge.pair));
      t.ok(used.size <= PAIRS, `${used.size} numbers were used`);
    },
    { pairs: PAIRS },
  );
}
