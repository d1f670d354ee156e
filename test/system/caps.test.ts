/** Caps are exact over worker threads, and clients that wait in the queue are served. */
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { burst, exchangeOnce, tally } from '../support/load/short_connections.js';
import { serviceText } from '../support/settings.js';
import { dial, tryDial } from '../support/wire.js';

const CAP = 25;
const CLIENTS = 2_000;

t.test('2,000 simultaneous clients over 2 workers never pass a cap of 25 a backend', async (t) => {
  const echoes = await startEchoes(t, 4, { delayMs: 10 });
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'errors',
    toml: serviceText({
      name: 'echo',
      policy: 'least-connections',
      backends: echoes,
      lines: `max_connections = ${CAP}
queue_size = ${CLIENTS}
queue_timeout = "60s"`,
    }),
  });
  await daemon.backendsUp('echo', 4);
  const report = await burst({ port: await daemon.port('echo') }, CLIENTS, 60_000);
  t.same(tally(report.failures), {}, 'all are served');
  t.same(
    echoes.map((echo) => echo.peak),
    [CAP, CAP, CAP, CAP],
    'each was full, none more',
  );
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_queue_length'), 0);
  t.equal(metrics.sum('sluice_sessions_total'), CLIENTS);
  t.ok(metrics.sum('sluice_queue_seconds_count') > CLIENTS / 2, 'most of them waited');
});

t.test('the queue is first in, first out, has an end, and has a time limit', async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({
      name: 'echo',
      backends: echoes,
      lines: 'max_connections = 1\nqueue_size = 2\nqueue_timeout = "1s"',
    }),
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const holder = await dial(t, { port });
  await holder.send('x');
  await holder.read(1);

  const first = await dial(t, { port });
  await daemon.metricSettles('sluice_queue_length', { pool: 'echo' }, (sum) => sum === 1);
  const second = await dial(t, { port });
  await daemon.metricSettles('sluice_queue_length', { pool: 'echo' }, (sum) => sum === 2);
  // The reset may come before the client has learnt that it is connected.
  const third = await tryDial({ port });
  t.equal(typeof third === 'string' ? third : (await third.readAll()).how, 'ECONNRESET');
  await accessLine(daemon, 'the third', ({ outcome }) => outcome.cause === 'queue-full');

  await first.send('1');
  await second.send('2');
  holder.finish();
  t.equal(await first.readText(1), '1', 'the first is served with the bytes that it sent before');
  t.equal((await second.readAll()).how, 'ECONNRESET', 'the second has waited too long');
  await accessLine(daemon, 'the second', ({ outcome }) => outcome.cause === 'queue-timeout');
});

t.test('none waits behind one for which none of the free places is', async (t) => {
  const echoes = await startEchoes(t, 2);
  const [a, b] = echoes;
  if (a === undefined || b === undefined) throw new Error('no backends');
  const daemon = await startDaemon(t, {
    workers: 2,
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: [
        { address: a.address, name: 'a', lines: 'max_connections = 2' },
        { address: b.address, name: 'b', lines: 'max_connections = 1' },
      ],
      health: 'probe = "none"',
      lines: 'queue_size = 20\nqueue_timeout = "60s"',
    }),
  });
  await a.kill();
  const port = await daemon.port('echo');
  const holder = await dial(t, { port });
  await holder.send('x');
  await holder.read(1);
  const unlucky = await dial(t, { port });
  await unlucky.send('!');
  await daemon.metricSettles('sluice_queue_length', { pool: 'echo' }, (sum) => sum === 1);
  await a.start();
  // On either worker, more than there are places: each that becomes free is given at once.
  const others = Array.from({ length: 12 }, () => exchangeOnce({ port }));
  t.same(await Promise.all(others), new Array(12).fill(null), 'all others are served by a');
  t.equal(b.served, 1);
  holder.finish();
  t.equal(await unlucky.readText(1), '!', 'its place is that at b');
  t.equal(b.served, 2);
});

t.test('without a queue a full pool refuses at once and says so', async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({ name: 'echo', backends: echoes, lines: 'max_connections = 1' }),
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const holder = await dial(t, { port });
  await holder.send('x');
  await holder.read(1);
  t.match((await exchangeOnce({ port }))?.reason, /ECONNRESET|EPIPE/);
  await daemon.metricSettles('sluice_refused_total', { reason: 'all-full' }, (sum) => sum === 1);
  const { trouble } = JSON.parse((await daemon.get('/v1/status')).body);
  t.match(trouble, [/^pool \S+ is full, and it has no queue: further clients are refused$/]);
  holder.finish();
  await holder.closed;
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  t.equal(await exchangeOnce({ port }), null);
});

t.test("at a listener's cap clients wait in the kernel and are served later", async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    workers: 2,
    toml: serviceText({ name: 'echo', backends: echoes }, 'max_sessions = 5'),
  });
  await daemon.backendsUp('echo', 1);
  const target = { port: await daemon.port('echo') };
  const holders = await Promise.all(Array.from({ length: 5 }, () => dial(t, target)));
  for (const holder of holders) await holder.send('x');
  for (const holder of holders) await holder.read(1);
  const waiting = Array.from({ length: 10 }, () => exchangeOnce(target));
  const beganMs = nowMs();
  await pass(300);
  t.equal(echoes[0]?.open, 5);
  for (const holder of holders) holder.finish();
  t.same(await Promise.all(waiting), new Array(10).fill(null), 'all ten are served');
  t.ok(nowMs() - beganMs > 290);
  t.equal(echoes[0]?.peak, 5);
});
