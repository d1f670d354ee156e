/** `[log] access = "sampled"`: all that went wrong, and a sample of the others. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { tryDial } from '../support/wire.js';

const NONE = 'probe = "none"';

t.test(
  'a sample has one line of a number, says how many had none, and has all errors',
  async (t) => {
    const toml =
      poolText({ name: 'good', health: NONE, backends: await startEchoes(t, 1) }) +
      listenerText({ pool: 'good' }) +
      poolText({
        name: 'dead',
        health: NONE,
        backends: [{ address: `127.0.0.1:${await freePort()}` }],
      }) +
      listenerText({ pool: 'dead' }) +
      poolText({
        name: 'echo',
        health: NONE,
        lines: 'udp_responses = 1',
        backends: (await startUdpEchoes(t, 1)).map(({ port }) => ({
          address: `127.0.0.1:${port}`,
        })),
      }) +
      listenerText({ pool: 'echo', protocol: 'udp' });
    const access = 'sampled';
    const daemon = await startDaemon(t, {
      toml,
      access,
      logLines: 'access_sample = 10',
      workers: 1,
    });

    await sessions(daemon, 30);
    t.equal(await flows(t, daemon, 20), 20);
    const first = await linesUpTo(daemon, 1);
    t.same(counts(first), { tcp: 3, udp: 2, errors: 1 });
    for (const [protocol, ended] of [
      ['tcp', 30],
      ['udp', 20],
    ] as const) {
      const told = first
        .filter((line) => line['protocol'] === protocol && line['left_out'] !== null)
        .reduce((sum, line) => sum + 1 + Number(line['left_out']), 0);
      t.ok(told > ended - 10 && told <= ended, `${told} of ${ended} ${protocol}`);
    }

    await change(daemon, 'access_sample = 10', 'access_sample = 5');
    await sessions(daemon, 10);
    t.same(counts(await linesUpTo(daemon, 2)), { tcp: 5, udp: 2, errors: 2 });

    await change(daemon, 'access = "sampled"', 'access = "errors"');
    await sessions(daemon, 10);
    t.same(counts(await linesUpTo(daemon, 3)), { tcp: 5, udp: 2, errors: 3 });
  },
);

async function sessions(daemon: Daemon, count: number): Promise<void> {
  const labels = { listener: 'good', outcome: 'finished' };
  const before = (await daemon.metrics()).sum('sluice_sessions_total', labels);
  const port = await daemon.port('good');
  for (let session = 0; session < count; session++) await exchangeOnce({ port });
  await daemon.metricSettles('sluice_sessions_total', labels, (sum) => sum === before + count);
}

async function flows(t: Tap, daemon: Daemon, count: number): Promise<number> {
  const port = await daemon.port('echo');
  for (let flow = 0; flow < count; flow++) {
    const client = await udpClient(t, { host: '127.0.0.1', port });
    await client.ask('x');
  }
  const labels = { listener: 'echo', outcome: 'responses-done' };
  return daemon.metricSettles('sluice_sessions_total', labels, (sum) => sum === count);
}

/** All lines, once this many failed sessions have theirs: lines of a worker keep their order. */
async function linesUpTo(daemon: Daemon, errors: number) {
  await tryDial({ port: await daemon.port('dead') });
  await daemon.events.first(
    `failed session ${errors}`,
    () => counts(daemon.eventsNamed('session')).errors === errors,
  );
  return daemon.eventsNamed('session');
}

function counts(lines: ReturnType<Daemon['eventsNamed']>) {
  const of = (protocol: string): number =>
    lines.filter((line) => line['protocol'] === protocol && line['left_out'] !== null).length;
  const errors = lines.filter((line) => line['left_out'] === null).length;
  return { tcp: of('tcp'), udp: of('udp'), errors };
}

async function change(daemon: Daemon, before: string, after: string): Promise<void> {
  const text = readFileSync(daemon.file, 'utf8');
  writeFileSync(daemon.file, text.replace(before, after));
  const reloaded = daemon.nextEvent('reloaded');
  daemon.signal('SIGHUP');
  await reloaded;
}

type Tap = Parameters<typeof startDaemon>[0];
