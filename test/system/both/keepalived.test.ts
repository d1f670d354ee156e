/**
 * A pair of machines with one address, by conf/ha/keepalived.conf as it is there: one of each
 * engine. A planned move is in keepalived_move.test.ts.
 */
import { connect } from 'node:net';
import t from 'tap';
import {
  hasAddress,
  PORT,
  startDaemonAt,
  startPeer,
  startSwitch,
  VIRTUAL,
} from '../../support/address_pair.js';
import { eventually, nowMs, PATIENCE_MS } from '../../support/deadline.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { haveMachines, ip, startMachines } from '../../support/machines.js';
import { inOwnNetwork } from '../../support/own_network.js';

/** A daemon is missed after 2 s, a machine after 1.8 s; for a busy one. */
const BACK_WITHIN_MS = 15_000;
const ATTEMPT_MS = 300;
const AFTERWARDS = 100;

if (inOwnNetwork(import.meta.url)) {
  t.test('when the master dies the other one is there, and then refuses no client', async (t) => {
    if (!haveMachines(t, 'keepalived')) return;
    const [a, b] = await startMachines(t, ['a', 'b']);
    if (a === undefined || b === undefined) throw new Error('two machines');
    const backend = await startSwitch(t, [a, b]);
    const first = await startPeer(t, a, { engine: 'node', priority: 100, backend });
    await eventually('it serves', async () => ((await reaches()) ? true : undefined));
    await startPeer(t, b, { engine: 'uring', priority: 90, backend });
    t.equal(await hasAddress(b), false, 'one has the address');

    const died = await awayFor(() => first.daemon.kill());
    t.comment(`the daemon was killed: ${Math.round(died)} ms`);
    t.ok(died < BACK_WITHIN_MS, 'the address went to the other machine');
    t.equal(await hasAddress(b), true);
    t.equal(await refused(), 0, 'and no client is refused there');

    const well = first.says(/sluice. succeeded/);
    await startDaemonAt(t, a, first.toml, { engine: 'node' });
    await well;
    t.equal(await hasAddress(b), true, 'a machine that comes back does not take it');
    const cut = await awayFor(() => ip(`link set ${b.cable} down`));
    t.comment(`the machine is gone: ${Math.round(cut)} ms`);
    t.ok(cut < BACK_WITHIN_MS, 'the first one has noticed');
    t.equal(await refused(), 0);
  });
}

/** How long no client is served after `disaster`; clients dial all the time. */
async function awayFor(disaster: () => Promise<unknown>): Promise<number> {
  await disaster();
  const beganMs = nowMs();
  while (!(await reaches()) && nowMs() - beganMs < PATIENCE_MS);
  return nowMs() - beganMs;
}

/** How many of those that dial now get no answer. */
async function refused(): Promise<number> {
  let failures = 0;
  for (let dialled = 0; dialled < AFTERWARDS; dialled++) {
    if ((await exchangeOnce({ host: VIRTUAL, port: PORT })) !== null) failures++;
  }
  return failures;
}

/** Whether a client is served just now. */
function reaches(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: VIRTUAL, port: PORT });
    socket.setTimeout(ATTEMPT_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('connect', () => socket.write('hello'));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('close', () => resolve(false));
  });
}
