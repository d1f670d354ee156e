/** Names of backends that lead nowhere, at a start and at reloads of the real daemon. */
import t from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { listenerText, poolText } from '../support/settings.js';

const NOWHERE = 'nowhere.invalid:5432';
const HEALTH = 'probe = "none"';

t.test('a mistyped name takes nothing away: what served goes on, and says so', async (t) => {
  const [echo] = await startEchoes(t, 1);
  if (echo === undefined) throw new Error('a backend is needed');
  const local = `localhost:${echo.port}`;
  const file = (named: string, plain: string): string =>
    listenerText({ pool: 'named' }) +
    poolText({ name: 'named', health: HEALTH, backends: [{ name: 'a', address: named }] }) +
    listenerText({ pool: 'plain' }) +
    poolText({ name: 'plain', health: HEALTH, backends: [{ address: plain }] });
  const daemon = await startDaemon(t, { toml: file(local, local) });
  const away = await daemon.reload(file(NOWHERE, NOWHERE));
  t.match(away, { event: 'reloaded', changed: ['backend named/a'] }, 'it is no other backend');
  t.same(away['added'], [`backend plain/${NOWHERE}`]);
  t.same(away['removed'], [`backend plain/${local}`]);
  for (const pool of ['named', 'plain']) {
    await exchangeOnce({ port: await daemon.port(pool) });
    const told = await daemon.event('resolve-failed', (record) => record['pool'] === pool);
    t.match(told, { address: NOWHERE, detail: pool === 'named' ? /it stays at/ : /in its place/ });
  }
  const { body } = await daemon.get('/ready');
  t.match(body, /^ok\n/);
  t.match(body, /pool plain: backend nowhere\.invalid:5432 has no address; backend localhost/);
  t.match(await backends(daemon, 'named'), [
    { name: 'a', state: 'up', reason: /cannot be resolved/ },
  ]);
  t.match(await backends(daemon, 'plain'), [
    { name: local, state: 'up', reason: /serves until nowhere\.invalid:5432 can be resolved/ },
    { name: NOWHERE, state: 'unresolved', reason: /serves in its place/ },
  ]);
  t.same(daemon.eventsNamed('backend-removed'), []);

  const back = await daemon.reload(file(local, NOWHERE));
  t.match(back, { event: 'reloaded', added: [], removed: [], changed: ['backend named/a'] });
  t.match(await backends(daemon, 'named'), [{ name: 'a', state: 'up', reason: '' }]);
  const elsewhere = file(local, NOWHERE).replaceAll('pools.plain', 'pools.other');
  const refused = await daemon.reload(elsewhere.replace('pool = "plain"', 'pool = "other"'));
  t.match(refused, { event: 'reload-failed', problems: [/pool other, in which no name has an/] });
  await exchangeOnce({ port: await daemon.port('plain') });
});

t.test(
  'a start with a name that leads nowhere serves with the rest, and is not ready',
  async (t) => {
    const toml =
      listenerText({ pool: 'p' }) + poolText({ name: 'p', backends: [{ address: NOWHERE }] });
    const daemon = await startDaemon(t, { toml });
    t.match(await daemon.event('resolve-failed'), { pool: 'p', backend: NOWHERE });
    const { status, body } = await eventually('the page', () => daemon.get('/ready'));
    t.match({ status, body }, { status: 503, body: /unresolved 1/ });
  },
);

interface Row {
  readonly name: string;
  readonly state: string;
  readonly reason: string;
}

async function backends(daemon: Daemon, name: string): Promise<readonly Row[]> {
  const view = JSON.parse((await daemon.get('/health')).body) as {
    readonly pools: readonly { readonly name: string; readonly backends: readonly Row[] }[];
  };
  return view.pools.find((pool) => pool.name === name)?.backends ?? [];
}
