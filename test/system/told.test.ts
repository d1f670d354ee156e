/** What the daemon says of a file that it uses although something in it needs a look. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';

t.test('what `sluice check` warns of is told at start and at every reload', async (t) => {
  const backends = await startEchoes(t, 1);
  const good = serviceText({ name: 'echo', backends });
  const odd = `${good}\n${poolText({ name: 'spare', backends })}`;
  const daemon = await startDaemon(t, { toml: odd });
  const problems = [/^\S+:\d+:\d+: warning: pools\.spare: no listener leads to this pool /];
  t.match(await daemon.event('config-warning'), { file: daemon.file, problems });
  const again = daemon.nextEvent('config-warning');
  await daemon.reload(odd);
  t.match(await again, { problems });
  await daemon.reload(good);
  t.equal(daemon.eventsNamed('config-warning').length, 2, 'and a good file is not warned of');
});

t.test('an admin page that could not be opened is tried again at a reload', async (t) => {
  const squatter = createServer();
  const port = await freePort();
  squatter.listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  const daemon = await startDaemon(t, { toml, admin: `127.0.0.1:${port}` });
  t.match(await daemon.event('admin-failed'), { errno: 'EADDRINUSE', remedy: /reload/ });
  squatter.close();
  await once(squatter, 'close');
  await daemon.reload(toml);
  t.match(await daemon.event('admin-listening'), { address: `127.0.0.1:${port}` });
  t.equal((await daemon.get('/healthz')).status, 200);
});

t.test('a reload that the machine refuses says what helps', async (t) => {
  const squatter = createServer();
  squatter.listen(await freePort());
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());
  const address = squatter.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  const daemon = await startDaemon(t, { toml });
  const more = `${toml}\n${listenerText({ name: 'more', pool: 'echo', bind: `0.0.0.0:${port}` })}`;
  const refused = await daemon.reload(more);
  t.match(refused, { event: 'reload-failed', problems: [/EADDRINUSE.*`ss -lntup`/] });
});

t.test('a pool that is down is told with the names of its backends', async (t) => {
  const dead = { name: 'gone', address: `127.0.0.1:${await freePort()}` };
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'echo', backends: [dead] }) });
  t.match(await daemon.event('pool-down'), { cause: 'all-down', detail: 'gone down' });
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_accepted_total', { listener: 'echo' }), 0);
  t.notMatch((await daemon.get('/metrics')).body, /^sluice_accepted_total\{.*backend=/m);
});

t.test('a panic is told with how many were eligible before it', async (t) => {
  const [live] = await startEchoes(t, 1);
  if (live === undefined) return;
  const dead = { address: `127.0.0.1:${await freePort()}` };
  const pool = { name: 'echo', lines: 'panic_percent = 60', backends: [live, dead] };
  const daemon = await startDaemon(t, { toml: serviceText(pool) });
  t.match(await daemon.event('pool-panic'), { eligible: 1, backends: 2, percent: 60 });
});
