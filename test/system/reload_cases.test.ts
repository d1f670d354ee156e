/** What one reload changes, and what it leaves as it is; reload.test.ts has them under load. */
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startDaemon } from '../support/daemon.js';
import { nowMs } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

t.test('an invalid file changes nothing and has all its problems reported', async (t) => {
  const echoes = await startEchoes(t, 1);
  const toml = service(echoes, '');
  const daemon = await startDaemon(t, { access: 'all', toml });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const record = await daemon.reload(toml.replace('policy', 'polizy').replace('pool =', 'pol ='));
  t.equal(record.event, 'reload-failed');
  const told = JSON.stringify(record);
  t.match(told, /:\d+:\d+: .*polizy/);
  t.match(told, /:\d+:\d+: .*pol\b/);
  t.equal(await exchangeOnce({ port }), null);
});

t.test('a changed bind opens the new address, then closes the old one', async (t) => {
  const echoes = await startEchoes(t, 1);
  const [first, second] = [await freePort(), await freePort()];
  const at = (port: number): string =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { access: 'all', toml: at(first) });
  await daemon.backendsUp('echo', 1);
  const held = await dial(t, { port: first });
  await held.send('one');
  t.equal(await held.readText(3), 'one');
  t.equal((await daemon.reload(at(second))).event, 'reloaded');
  t.equal(await exchangeOnce({ port: second }), null);
  t.equal(await tryDial({ port: first }), 'ECONNREFUSED');
  await held.send('two');
  t.equal(await held.readText(3), 'two', 'a session of the old address goes on');
});

t.test('a bind that cannot be opened fails the reload and keeps the old one', async (t) => {
  const echoes = await startEchoes(t, 1);
  const [taken] = await startEchoes(t, 1);
  const first = await freePort();
  const at = (port: number): string =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { access: 'all', toml: at(first) });
  await daemon.backendsUp('echo', 1);
  const record = await daemon.reload(at(taken?.port ?? 0));
  t.equal(record.event, 'reload-failed');
  t.match(JSON.stringify(record), /EADDRINUSE/);
  t.equal(await exchangeOnce({ port: first }), null);
});

t.test('a removed backend keeps its sessions for the drain time, then loses them', async (t) => {
  const echoes = await startEchoes(t, 2);
  const limits = 'drain_timeout = "1s"\ndrain_spread = "500ms"';
  const daemon = await startDaemon(t, { access: 'all', toml: service(echoes, limits) });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const wires: Wire[] = [];
  // One after the other: workers that choose in the same instant do not see each other's choice.
  for (let i = 0; i < 2; i++) {
    const wire = await dial(t, { port });
    wires.push(wire);
    await wire.send('x');
    t.equal(await wire.readText(1), 'x');
  }
  t.same(
    echoes.map((echo) => echo.open),
    [1, 1],
  );
  await daemon.reload(service(echoes.slice(0, 1), limits));
  const removedMs = nowMs();
  for (const wire of wires) {
    await wire.send('y');
    t.equal(await wire.readText(1), 'y', 'both go on at first');
  }
  for (let i = 0; i < 5; i++) t.equal(await exchangeOnce({ port }), null);
  t.equal(echoes[1]?.served, 1, 'no new session reaches the removed backend');
  await Promise.race(wires.map((wire) => wire.ended));
  const afterMs = nowMs() - removedMs;
  t.ok(afterMs > 950 && afterMs < 2_500, `it is closed after ${Math.round(afterMs)} ms`);
  t.equal(echoes[0]?.open, 1, 'the other session stays');
  for (const wire of wires) wire.finish();
  const { outcome } = await accessLine(
    daemon,
    'the drained session',
    (line) => line.outcome.cause === 'drained',
  );
  t.match(outcome, { by: 'sluice', stage: 'drain' });
});

function service(echoes: readonly EchoBackend[], lines: string): string {
  return serviceText({ name: 'echo', policy: 'least-connections', backends: echoes, lines });
}
