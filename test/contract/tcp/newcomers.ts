/** TCP contract: a crowd of newcomers is accepted a few at a time, and others go on in between. */
import type { Test } from 'tap';
import { LISTENER, type MakeEngine, withEngine } from './bench.js';

const CROWD = 120;
/** Most of them must not come before an exchange that began before them. */
const FEW = CROWD / 3;
const PING = 'ping';

export function newcomersContract(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'a session that is established goes on while a crowd is accepted, in order',
    async (bench, t) => {
      const { driver } = bench;
      const { client, backend } = await bench.relayed();
      driver.engine.pauseListener(LISTENER);
      const ports: (number | undefined)[] = [];
      for (let id = 0; id < CROWD; id++) ports.push((await bench.connect()).socket.localPort);
      driver.answers = {};
      client.send(PING);
      driver.engine.resumeListener(LISTENER);
      await backend.takeText(PING.length);
      backend.send(PING);
      await client.takeText(PING.length);
      const before = driver.count('accepted') - 1;
      t.ok(before < FEW, `${before} of ${CROWD} newcomers were accepted before the answer`);
      const came: (number | undefined)[] = [];
      for (let id = -1; id < CROWD; id++) {
        const peer = driver.engine.client(await driver.nextPair());
        if (id >= 0) came.push(peer.kind === 'ip' ? peer.port : undefined);
      }
      t.same(came, ports);
    },
    { pairs: 2 * CROWD },
  );
}
