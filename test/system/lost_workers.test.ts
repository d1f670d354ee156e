/** What a worker thread held when it was lost is given back, at whatever moment that was. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, pass, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { listenerText, poolText } from '../support/settings.js';
import { tryDial } from '../support/wire.js';
import { LOSE_WORKER, SIZES_VARIABLE } from '../torture/every_thread.js';

/** They wait more than they work. */
t.jobs = 2;

/** Each one after the other is replaced later: together they take some 20 s. */
const LOSSES = 8;
const CLIENTS = 30;
/** Sessions between two losses. */
const VISITS = 60;
/** A thread is started 250 ms after a loss: before, and at moments of its start. */
const STOP_DELAYS_MS = [200, 280, 320, 370];
/** Connections of the test's own requests for metrics. */
const OBSERVERS = 4;

t.test(
  `${LOSSES} lost workers leave no client waiting and no descriptor open`,
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 1);
    const daemon = await startMortal(t, backends);
    const port = await daemon.port('servers');
    let visits = 0;
    let over = false;
    /** One session after the other; each must end, however its worker fares. */
    const client = async (number: number): Promise<void> => {
      while (!over) {
        const wire = await tryDial({ port });
        visits++;
        if (typeof wire === 'string') continue;
        wire.socket.write('x');
        await wire.read(1).catch(() => {});
        if (number % 2 === 0) wire.socket.end();
        else wire.socket.resetAndDestroy();
        await within('the end of a session', wire.closed);
      }
    };
    const atRest = await daemon.descriptors();
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
    for (let loss = 0; loss < LOSSES; loss++) {
      const before = visits;
      await Promise.race([
        clients,
        eventually('sessions', () => (visits < before + VISITS ? undefined : true)),
      ]);
      const lost = daemon.nextEvent('worker-lost');
      daemon.signal(LOSE_WORKER);
      await lost;
    }
    over = true;
    await clients;
    await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
    await eventually('its descriptors are closed', async () => {
      const now = await daemon.descriptors();
      if (now > atRest + OBSERVERS) throw new Error(`${now} instead of ${atRest}`);
      return now;
    });
  },
);

t.test(
  'a stop while a lost worker is being replaced is an orderly one',
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 1);
    await Promise.all(
      STOP_DELAYS_MS.map(async (delayMs) => {
        const daemon = await startMortal(t, backends);
        const lost = daemon.nextEvent('worker-lost');
        daemon.signal(LOSE_WORKER);
        await lost;
        await pass(delayMs);
        daemon.signal('SIGTERM');
        const exit = await within('the end', daemon.exited);
        t.same(exit, { code: 0, signal: null }, `${delayMs} ms after the loss`);
      }),
    );
  },
);

/** A daemon whose only worker a signal ends. */
function startMortal(t: Test, backends: Awaited<ReturnType<typeof startEchoes>>): Promise<Daemon> {
  return startDaemon(t, {
    workers: 1,
    everyThread: new URL('../torture/every_thread.js', import.meta.url),
    env: { [SIZES_VARIABLE]: '{}' },
    expects: ['worker-lost'],
    toml:
      listenerText({ pool: 'servers' }) +
      poolText({ name: 'servers', backends, health: 'probe = "none"' }),
  });
}
