/**
 * An incident, rehearsed: of five backends one has died, one is ten times slower, one is full and
 * one was drained by hand. Wherever an operator looks, it is the same story with the same reasons.
 */
import t, { type Test } from 'tap';
import { noBrowser, openPage, rowsOf, startBrowser } from '../support/browser.js';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { eventually, PATIENCE_MS } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { burst, type Failure, tally } from '../support/load/short_connections.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const NAMES = ['well', 'dead', 'slow', 'full', 'away'] as const;
type Name = (typeof NAMES)[number];

/** How each of them is, why, and what has been reported of it. */
const STORY: Readonly<
  Record<Name, { state: string; cause: string | null; event: string; reason: RegExp }>
> = {
  well: { state: 'up', cause: null, event: 'backend-up', reason: /^$/ },
  dead: { state: 'down', cause: 'down', event: 'backend-down', reason: /refused/ },
  slow: {
    state: 'ejected',
    cause: 'ejected',
    event: 'backend-ejected',
    reason: /first bytes take/,
  },
  full: {
    state: 'full',
    cause: 'full',
    event: 'backend-up',
    reason: /as many sessions as it may have/,
  },
  away: {
    state: 'drained',
    cause: 'drained',
    event: 'override-set',
    reason: /drained by root: kernel update \(since \S+Z, until \S+Z\)/,
  },
};

const DELAY_MS = 50;
/** At a time: thirty for each of four, of which a verdict on latency takes twenty per second. */
const CLIENTS = 120;

interface Row {
  readonly name: string;
  readonly state: string;
  readonly eligible: boolean;
  readonly cause: string | null;
  readonly reason: string;
}

type Echoes = Readonly<Record<Name, EchoBackend>>;

async function startPool(t: Test): Promise<{ operated: Operated; echoes: Echoes }> {
  const all = await startEchoes(t, NAMES.length, { delayMs: DELAY_MS });
  const echoes = Object.fromEntries(NAMES.map((name, at) => [name, all[at]])) as Echoes;
  const operated = await startOperated(t, {
    toml: serviceText({
      name: 'app',
      policy: 'round-robin',
      backends: NAMES.map((name) => ({
        name,
        address: echoes[name].address,
        lines: name === 'full' ? 'max_connections = 1' : '',
      })),
      sections: `[pools.app.outlier]
latency_factor = 3
consecutive_failures = 100
interval = "1s"
base_ejection = "60s"
max_ejected_percent = 50`,
    }),
  });
  await operated.daemon.backendsUp('app', NAMES.length);
  return { operated, echoes };
}

/** Sessions until the one that has a single place has one, which stays. */
async function takeThePlace(t: Test, { daemon }: Operated, { full }: Echoes): Promise<void> {
  const port = await daemon.port('app');
  while (full.open === 0) {
    const wire = await dial(t, { port });
    await wire.send('x');
    await wire.read(1);
    if (full.open === 0) wire.socket.destroy();
  }
}

async function strike(t: Test, operated: Operated, echoes: Echoes): Promise<void> {
  const { daemon, socket } = operated;
  await takeThePlace(t, operated, echoes);
  // It is slow compared with the others: they still serve.
  echoes.slow.delayMs = 10 * DELAY_MS;
  const ejected = daemon.event('backend-ejected', ({ backend }) => backend === 'slow');
  const failures = await loadUntil(daemon, ejected);
  const down = daemon.event('backend-down', ({ backend }) => backend === 'dead');
  await echoes.dead.kill();
  failures.push(...(await loadUntil(daemon, down)));
  t.same(tally(failures), {}, 'no client notices');
  const drain = { backends: ['app/away'], for: '1h', because: 'kernel update' };
  t.equal((await askControl(socket, 'POST', '/v1/drain', drain)).status, 200);
}

async function loadUntil(daemon: Daemon, happened: Promise<unknown>): Promise<Failure[]> {
  const port = await daemon.port('app');
  const failures: Failure[] = [];
  let isOver = false;
  const over = happened.finally(() => {
    isOver = true;
  });
  while (!isOver) failures.push(...(await burst({ port }, CLIENTS, PATIENCE_MS)).failures);
  await over;
  return failures;
}

const BY_NAME = (rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.name, { ...row, reason: steady(row.reason) }]));

/** Without what goes by: `out for 58 s more`. */
function steady(text: string): string {
  return text.replace(/; out for \d+ \w+ more/, '');
}

t.test('everything shows the same story with the same reasons', async (t) => {
  const { operated, echoes } = await startPool(t);
  const { daemon, socket, ctl } = operated;
  await strike(t, operated, echoes);

  const listed = await askControl(socket, 'GET', '/v1/backends?pool=app');
  const rows = BY_NAME((listed.body as { items: readonly Row[] }).items);
  for (const name of NAMES) {
    const { state, cause, reason } = STORY[name];
    t.match(
      rows.get(name),
      { state, cause, eligible: cause === null, reason },
      `backends: ${name}`,
    );
  }

  const page = JSON.parse((await daemon.get('/health')).body);
  const shown = BY_NAME(page.pools[0].backends);
  for (const name of NAMES) {
    const { state, cause, reason } = rows.get(name) ?? {};
    t.match(shown.get(name), { state, cause, reason }, `/health: ${name}`);
  }
  t.equal(page.pools[0].state, 'up');
  const text = steady((await daemon.get('/health?format=text')).body);
  for (const name of NAMES) t.ok(text.includes(rows.get(name)?.reason ?? '-'), `as text: ${name}`);

  const status = steady((await ctl('status')).stdout);
  t.match(status, '1 of 5 backends eligible');
  t.notMatch(status, /^!/m, 'clients are served');
  for (const name of NAMES) {
    const line = `- app/${name} is ${rows.get(name)?.state}: ${rows.get(name)?.reason}`;
    t.equal(status.split('\n').includes(line), name !== 'well', `status: ${line}`);
  }

  await sameInShort(t, socket);

  const explained = await askControl(socket, 'GET', '/v1/explain?listener=app&client=192.0.2.1');
  t.match(explained.body, {
    chosen: 'app/well',
    backends: NAMES.map((name) => ({ backend: `app/${name}`, reason: STORY[name].cause })),
  });
  for (const name of NAMES) {
    const why = await askControl(socket, 'GET', `/v1/why?backend=app/${name}`);
    const { state, reason } = rows.get(name) ?? {};
    const { backend, history } = why.body as { backend: Row; history: readonly LogRecord[] };
    t.match({ ...backend, reason: steady(backend.reason) }, { state, reason }, `why: ${name}`);
    t.ok(
      history.some(({ event }) => event === STORY[name].event),
      `why: the history of ${name}`,
    );
    t.ok(
      daemon.eventsNamed(STORY[name].event).some((one) => one['backend'] === name),
      'the log',
    );
  }

  const metrics = await daemon.metrics();
  for (const name of NAMES) {
    const its = { pool: 'app', backend: name };
    t.equal(
      metrics.sum('sluice_backend_eligible', its),
      Number(name === 'well'),
      `eligible: ${name}`,
    );
    t.equal(metrics.sum('sluice_backend_up', its), Number(name !== 'dead'), `up: ${name}`);
    const { state } = STORY[name];
    t.equal(metrics.sum('sluice_pool_backends', { pool: 'app', state }), 1, `metrics: ${state}`);
  }
  t.equal(metrics.sum('sluice_pool_backends', { pool: 'app' }), NAMES.length, 'and no other state');
  t.equal(metrics.sum('sluice_overrides', { kind: 'drain' }), 1);
  t.equal(metrics.sum('sluice_overrides'), 1);
  t.equal(metrics.sum('sluice_ejections_total', { backend: 'slow' }), 1);
  t.equal((await daemon.get('/ready')).status, 200);
  await pageTells(t, operated, rows);
});

interface Short {
  readonly status: { readonly notes: readonly string[] };
  readonly pools: readonly { readonly pool: object }[];
}

/** What looks at no backend in full says the same as what looks at each. */
async function sameInShort(t: Test, socket: string): Promise<void> {
  const { body } = await askControl(socket, 'GET', '/v1/live');
  const { status, pools } = body as Short;
  const short = (await askControl(socket, 'GET', '/v1/status')).body as Short['status'];
  t.same(short.notes.map(steady), status.notes.map(steady));
  const counts = { pools: 1, backends: NAMES.length, backends_eligible: 1 };
  t.match(short, counts);
  t.match(status, counts);
  const listed = await askControl(socket, 'GET', '/v1/pools');
  const counted = { state: 'up', backends: NAMES.length, eligible: 1 };
  t.match(listed.body, { items: [counted] });
  t.match(pools, [{ pool: counted }]);
}

async function pageTells(
  t: Test,
  { daemon }: Operated,
  rows: ReadonlyMap<string, Row>,
): Promise<void> {
  if (noBrowser !== false) return t.comment(noBrowser);
  const browser = await startBrowser(t);
  const { address } = await daemon.event('admin-listening');
  const { page } = await openPage(t, browser, `http://${address}/#state=trouble`);
  const cells = (): Promise<readonly string[][]> => rowsOf(page, '#rows');
  const told = await eventually('those in trouble', async () => {
    const all = await cells();
    return all.length === 3 ? all : undefined;
  });
  for (const name of ['dead', 'slow', 'full'] as const) {
    const row = told.find(([first]) => first === `app/${name}`);
    const { state, reason } = rows.get(name) ?? {};
    t.same([row?.[1], steady(row?.[7] ?? '')], [state, reason], `page: ${name}`);
  }
  await page.locator('#overrides').getByText('kernel update').waitFor();
}
