/**
 * A planned move of the address of a pair, by conf/ha as it is there: the daemon that has it is
 * ordered to stop, and `leave_delay` makes it unready first. New connections come all the time, and
 * there are long sessions.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import {
  HA,
  hasAddress,
  PORT,
  startPeer,
  startSwitch,
  VIRTUAL,
} from '../../support/address_pair.js';
import { eventually, nowMs, within } from '../../support/deadline.js';
import { MovingLoad } from '../../support/load/moving_load.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { haveMachines, startMachines } from '../../support/machines.js';
import { inOwnNetwork } from '../../support/own_network.js';
import { dial, type Wire } from '../../support/wire.js';

const SERVICE = { host: VIRTUAL, port: PORT };
const LONG = 5;
const BLOCK_BYTES = 100_000;
/** A signal ends it: how long keepalived takes on a busy machine is not the test's to say. */
const LEAVES = { daemonLines: 'leave_delay = "1h"', shutdownTimeout: '500ms' };

if (inOwnNetwork(import.meta.url)) {
  t.test('a planned stop moves the address, and refuses no client', async (t) => {
    if (!haveMachines(t, 'keepalived', 'bash')) return;
    const [a, b] = await startMachines(t, ['a', 'b']);
    if (a === undefined || b === undefined) throw new Error('two machines');
    const backend = await startSwitch(t, [a, b]);
    const old = await startPeer(t, a, { engine: 'uring', priority: 100, backend, more: LEAVES });
    await eventually('it has the address', async () => (await hasAddress(a)) || undefined);
    const next = await startPeer(t, b, { engine: 'node', priority: 90, backend });
    await Promise.all([old, next].map(({ daemon }) => daemon.backendsUp('pg', 1)));
    t.equal(await exchangeOnce(SERVICE), null, 'clients are served');
    const staying = await Promise.all(Array.from({ length: LONG }, () => dial(t, SERVICE)));
    const silent = await dial(t, SERVICE);
    for (const wire of [...staying, silent]) await answers(wire);

    const load = new MovingLoad(t, SERVICE);
    await load.until(async () => {
      const unready = old.says(/sluice. failed/);
      const beganMs = nowMs();
      old.daemon.signal('SIGTERM');
      await old.daemon.event('leaving');
      await t.rejects(a.run(join(HA, 'ready'), 'postgres'), /exit 1/, 'its check fails first');
      await unready;
      await eventually('the address moves', async () => (await hasAddress(b)) || undefined);
      await eventually('it is gone here', async () => !(await hasAddress(a)) || undefined);
      t.same(old.daemon.eventsNamed('stopping'), [], 'the old one accepted until then');
      t.equal(await exchangeOnce(SERVICE), null, 'the other one serves');
      t.comment(`the address has moved: ${Math.round(nowMs() - beganMs)} ms`);
      load.moved();
      old.daemon.signal('SIGTERM');
      await old.daemon.event('stopping');
      for (const wire of staying) {
        await wire.send('hello');
        const how = await within('the end', wire.closed);
        t.equal(how, 'ECONNRESET', 'the other machine does not know the session');
      }
      const { sessions } = await old.daemon.event('stopped');
      t.ok(Number(sessions) > LONG, 'the old one learns of no end: its limit ends them');
      t.same(await old.daemon.exited, { code: 0, signal: null });
      t.equal(silent.socket.closed, false, 'a client that says nothing is told nothing');
    });
    const { refused, cut, done } = await load.end();
    t.same(refused, [], `none of ${done.before} and ${done.after} is refused`);
    t.same(cut.after, [], 'a client that comes in between or after it is served');
    t.comment(`the move cut ${cut.before.length}: ${[...new Set(cut.before)].join('; ')}`);
  });
}

async function answers(wire: Wire): Promise<void> {
  const block = randomBytes(BLOCK_BYTES);
  await wire.send(block);
  if (!(await wire.read(BLOCK_BYTES)).equals(block)) throw new Error('the bytes were changed');
}
