/** A backend at a unix socket that falls behind for a moment, so that its backlog is full. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { tempFolder } from '../support/places.js';
import { type Child, startChild } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, tryDial } from '../support/wire.js';

const CLIENTS = 200;
/** They wait for the first verdict. */
const PROBED_CLIENTS = 5;
/** On a machine under load nothing is given up before the backend goes on, either. */
const PATIENT = 'connect_timeout = "20s"';
const PATIENT_PROBE = 'probe = "tcp"\ntimeout = "20s"\nfall = 1\nrise = 1';
const ECHO = `
  const server = require('node:net').createServer((socket) => socket.pipe(socket));
  server.listen({ path: process.argv[1], backlog: 1 }, () => console.log('ready'));
`;

/** Stopped, and there is no room in its backlog. */
async function fullBackend(t: Test, path: string): Promise<Child> {
  const backend = startChild(t, process.execPath, ['-e', ECHO, path]);
  await backend.stdout.first('a line', (line) => line === 'ready');
  backend.signal('SIGSTOP');
  for (;;) {
    const filler = await tryDial({ port: 0, path });
    if (typeof filler !== 'string') t.teardown(() => filler.socket.destroy());
    else {
      t.equal(filler, 'EAGAIN');
      return backend;
    }
  }
}

t.test('clients and probes wait for room in the backlog of a unix socket', async (t) => {
  const path = join(tempFolder(t), 'backend.sock');
  const backend = await fullBackend(t, path);
  const backends = [{ address: `unix:${path}` }];
  const daemon = await startDaemon(t, {
    toml:
      listenerText({ pool: 'bare' }) +
      listenerText({ pool: 'probed' }) +
      poolText({ name: 'bare', lines: PATIENT, health: 'probe = "none"', backends }) +
      poolText({ name: 'probed', lines: PATIENT, health: PATIENT_PROBE, backends }),
  });
  const served = async (listener: string): Promise<boolean> => {
    const wire = await dial(t, { port: await daemon.port(listener) });
    await wire.send('question');
    return (await wire.readText(8)) === 'question';
  };
  const answers = Promise.all([
    ...Array.from({ length: CLIENTS }, () => served('bare')),
    ...Array.from({ length: PROBED_CLIENTS }, () => served('probed')),
  ]);
  const all = CLIENTS + PROBED_CLIENTS;
  await Promise.race([
    answers,
    daemon.metricSettles('sluice_accepted_total', {}, (sum) => sum === all),
  ]);
  backend.signal('SIGCONT');
  t.same(await answers, Array<boolean>(all).fill(true));
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_dial_failures_total'), 0);
  t.equal(metrics.sum('sluice_probe_failures_total'), 0);
});
