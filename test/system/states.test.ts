/** Every state that pages can show, brought about for real, and shown alike everywhere. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { type BackendText, serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

type Told = readonly [state: string, eligible: boolean, cause: string | null, up: 0 | 1];

interface Situation {
  /** The pool's text: backends are a, b and c in order. */
  readonly lines?: string;
  readonly health?: string;
  readonly sections?: string;
  readonly backends: readonly BackendText[];
  readonly pool: string;
  readonly ready: boolean;
  /** One session is held. */
  readonly held?: true;
  readonly told: Readonly<Record<string, Told>>;
}

const NONE = 'probe = "none"';
const SLOW =
  'interval = "1h"\nfast_interval = "200ms"\ndown_interval = "300ms"\nfall = 1\nrise = 1';
const TCP = `probe = "tcp"\n${SLOW}`;
const GOOD: Told = ['up', true, null, 1];
const DOWN: Told = ['down', false, 'down', 0];

function situations(at: Servers): Readonly<Record<string, Situation>> {
  const up: BackendText = { address: at.serving, name: 'a' };
  const dead: BackendText = { address: at.dead, name: 'b' };
  const backup: BackendText = { address: at.serving, name: 'c', lines: 'backup = true' };
  return {
    up: { backends: [up], health: TCP, pool: 'up', ready: true, told: { a: GOOD } },
    down: { backends: [dead], health: TCP, pool: 'down', ready: false, told: { b: DOWN } },
    unproven: {
      backends: [{ address: at.mute, name: 'a' }],
      health: `probe = "send-expect"\nsend = "x"\nexpect = "y"\ntimeout = "1m"\ninterval = "1h"`,
      pool: 'unproven',
      ready: false,
      told: { a: ['unproven', false, 'unproven', 0] },
    },
    degraded: {
      backends: [{ address: at.degraded, name: 'a' }],
      health: `probe = "http"\npath = "/"\n${SLOW}`,
      pool: 'up',
      ready: true,
      told: { a: ['degraded', true, null, 1] },
    },
    ejected: {
      backends: [up, dead],
      health: NONE,
      sections: '[pools.ejected.outlier]\nconsecutive_failures = 1\nbase_ejection = "5m"',
      pool: 'up',
      ready: true,
      held: true,
      told: { a: GOOD, b: ['ejected', false, 'ejected', 1] },
    },
    full: {
      backends: [{ ...up, lines: 'max_connections = 1' }],
      lines: 'queue_size = 5',
      health: NONE,
      pool: 'full',
      ready: true,
      held: true,
      told: { a: ['full', false, 'full', 1] },
    },
    weightless: {
      backends: [up, { address: at.serving, name: 'b', lines: 'weight = 0' }],
      health: TCP,
      pool: 'up',
      ready: true,
      told: { a: GOOD, b: ['up', false, 'weight-0', 1] },
    },
    backup_idle: {
      backends: [up, backup],
      health: TCP,
      pool: 'up',
      ready: true,
      told: { a: GOOD, c: ['up', false, 'backup', 1] },
    },
    backup_serves: {
      backends: [dead, backup],
      health: TCP,
      pool: 'backup',
      ready: true,
      told: { b: DOWN, c: GOOD },
    },
    standby: {
      backends: [
        { address: at.primary, name: 'a' },
        { address: at.replica, name: 'b' },
      ],
      health: `probe = "redis"\nrole = "primary"\n${SLOW}`,
      pool: 'up',
      ready: true,
      told: { a: GOOD, b: ['standby', false, 'standby', 1] },
    },
    unresolved: {
      backends: [up, { address: 'nowhere.invalid:1', name: 'b' }],
      health: TCP,
      pool: 'up',
      ready: true,
      told: { a: GOOD, b: ['unresolved', false, 'unresolved', 0] },
    },
    panic: {
      backends: [up, dead, { address: at.dead2, name: 'c' }],
      lines: 'panic_percent = 50',
      health: TCP,
      pool: 'panic',
      ready: true,
      told: { a: GOOD, b: ['down', true, null, 0], c: ['down', true, null, 0] },
    },
  };
}

t.test('every state is shown alike by /health, /ready and the metrics', async (t) => {
  const servers = await startServers(t);
  const table = situations(servers);
  const toml = Object.entries(table).map(([name, situation]) => {
    return serviceText({ name, policy: 'round-robin', ...situation });
  });
  const daemon = await startDaemon(t, { toml: toml.join('\n') });
  for (const [name, { held }] of Object.entries(table)) {
    if (held !== undefined) await hold(t, daemon, name, name === 'ejected' ? 2 : 1);
  }
  for (const [name, situation] of Object.entries(table)) {
    await eventually(name, async () => {
      const told = await tell(daemon, name);
      const wanted = JSON.stringify(expected(situation));
      if (told === wanted) return true;
      throw new Error(`${told} is shown instead of ${wanted}`);
    }).then(
      () => t.pass(name),
      (error: Error) => t.fail(error.message),
    );
  }
  t.same(
    daemon.eventsNamed('backend-down', ({ pool }) => pool === 'standby'),
    [],
  );
  t.match(await daemon.event('backend-standby'), { pool: 'standby', backend: 'b', level: 'info' });
  t.match((await daemon.event('resolve-failed'))['detail'], /has had no address yet/);
  await leaves(t, daemon, toml);
});

/** A backend that left the file says so, since when it did, and not since it was looked at. */
async function leaves(t: Test, daemon: Daemon, toml: readonly string[]): Promise<void> {
  const renamed = toml.map((text) =>
    text.includes('[pools.full]') ? text.replace('name = "a"', 'name = "z"') : text,
  );
  t.match(await daemon.reload(renamed.join('\n')), { event: 'reloaded' });
  const first = await eventually('the state of a backend that left', async () => {
    const { backends } = await page(daemon, 'full');
    return backends['a']?.['state'] === 'leaving' ? backends : undefined;
  });
  t.match(first['a'], { eligible: false, cause: 'drained' });
  const again = await eventually('a later page', async () => {
    const { view, backends } = await page(daemon, 'full');
    return Date.parse(view.now) - Date.parse(String(backends['a']?.['since'])) > 500
      ? backends
      : undefined;
  });
  t.equal(again['a']?.['since'], first['a']?.['since'], 'the time stays');
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there');
  return value;
}

function expected({ pool, ready, told }: Situation): unknown {
  const backends = Object.entries(told).map(([name, [state, eligible, cause, up]]) => {
    const metrics = state === 'unresolved' ? [0, 0] : [up, Number(eligible)];
    return [name, state, eligible, cause, ...metrics];
  });
  return { pool, ready, backends };
}

async function tell(daemon: Daemon, name: string): Promise<string> {
  const { pool, backends } = await page(daemon, name);
  const metrics = await daemon.metrics();
  const ready = (await daemon.get(`/ready?listener=${name}`)).status === 200;
  const rows = Object.entries(backends).map(([backend, view]) => {
    const labels = { pool: name, backend };
    return [
      backend,
      view['state'],
      view['eligible'],
      view['cause'],
      metrics.sum('sluice_backend_up', labels),
      metrics.sum('sluice_backend_eligible', labels),
    ];
  });
  return JSON.stringify({ pool: pool.state, ready, backends: rows });
}

type Row = Readonly<Record<string, unknown>>;
interface Page {
  readonly now: string;
  readonly pools: readonly { readonly name: string; state: string; backends: readonly Row[] }[];
}

async function page(daemon: Daemon, name: string) {
  const view = JSON.parse((await daemon.get('/health')).body) as Page;
  const pool = present(view.pools.find((one) => one.name === name));
  const backends = Object.fromEntries(pool.backends.map((row) => [String(row['name']), row]));
  return { view, pool, backends };
}

async function hold(t: Test, daemon: Daemon, listener: string, count: number): Promise<void> {
  const port = await daemon.port(listener);
  for (let n = 0; n < count; n++) {
    const session = await dial(t, { port });
    await session.send('x');
    t.equal(await session.readText(1), 'x');
  }
}

interface Servers {
  readonly serving: string;
  readonly dead: string;
  readonly dead2: string;
  readonly mute: string;
  readonly degraded: string;
  readonly primary: string;
  readonly replica: string;
}

async function startServers(t: Test): Promise<Servers> {
  const role = (reply: string) => (socket: Socket) =>
    socket.on('data', (data) => socket.write(`${data}`.includes('PING') ? '+PONG\r\n' : reply));
  return {
    serving: await listening(t, (socket) => socket.pipe(socket)),
    dead: await freed(t),
    dead2: await freed(t),
    mute: await listening(t, (socket) => socket.resume()),
    degraded: await listening(t, (socket) =>
      socket.end('HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n'),
    ),
    primary: await listening(t, role('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n')),
    replica: await listening(
      t,
      role('*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n'),
    ),
  };
}

async function listening(t: Test, serve: (socket: Socket) => unknown): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  const address = await bound(server);
  t.teardown(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return address;
}

/** A port that nothing listens on. */
async function freed(t: Test): Promise<string> {
  const server = createServer();
  const address = await bound(server);
  server.close();
  t.teardown(() => {});
  return address;
}

async function bound(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
