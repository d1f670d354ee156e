/** Caps and least-connections see the sessions of processes that leave. */
import t, { type Test } from 'tap';
import { type Operated, startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce, type Failure, tally } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText, QUICK_HEALTH } from '../support/settings.js';
import type { Upgraded } from '../support/upgrades.js';
import { dial, type Wire } from '../support/wire.js';

/** They wait more than they work. */
t.jobs = 2;

/** Of a backend, where clients come all the time. */
const CAP = 4;

interface Service extends Operated {
  readonly port: number;
  readonly echoes: readonly EchoBackend[];
  readonly tomlOf: (echoes: readonly EchoBackend[], lines?: string) => string;
}

interface Setup {
  readonly echoes?: readonly EchoBackend[];
  readonly lines?: string;
  readonly listener?: string;
  readonly health?: string;
}

interface PoolNow {
  readonly sessions: number;
  readonly queue_length: number;
}

async function start(t: Test, setup: Setup): Promise<Service> {
  const { lines = '', listener = '', health = QUICK_HEALTH } = setup;
  const echoes = setup.echoes ?? (await startEchoes(t, 1));
  const port = await freePort();
  const tomlOf: Service['tomlOf'] = (backends, now = lines) =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}`, lines: listener }) +
    poolText({ name: 'echo', policy: 'least-connections', backends, lines: now, health });
  const operated = await startOperated(t, { workers: 2, toml: tomlOf(echoes) });
  if (health === QUICK_HEALTH) await operated.daemon.backendsUp('echo', echoes.length);
  return { ...operated, port, echoes, tomlOf };
}

/** A session that its backend has answered. */
async function session(t: Test, { port }: Service): Promise<Wire> {
  const wire = await dial(t, { port });
  await wire.send('x');
  await wire.read(1);
  return wire;
}

function sessions(t: Test, service: Service, count: number): Promise<readonly Wire[]> {
  return Promise.all(Array.from({ length: count }, () => session(t, service)));
}

interface ListenerNow {
  readonly state: string;
  readonly sessions: number;
}

function listenerSettles({ ask }: Service, holds: (listener: ListenerNow) => boolean) {
  return eventually('the listener is as it should be', async () => {
    const { items } = await ask<{ readonly items: readonly ListenerNow[] }>('listeners');
    const [listener] = items;
    if (listener !== undefined && holds(listener)) return true;
    throw new Error(JSON.stringify(listener));
  });
}

/** The `place`th client in the queue: it gets its byte back when it has a backend. */
async function waiter(t: Test, service: Service, place: number): Promise<Wire> {
  const wire = await dial(t, service);
  await wire.send('x');
  await poolSettles(service, (pool) => pool.queue_length === place);
  return wire;
}

function poolSettles({ ask }: Service, holds: (pool: PoolNow) => boolean) {
  return eventually('the pool is as it should be', async () => {
    const { items } = await ask<{ readonly items: readonly PoolNow[] }>('pools');
    const [pool] = items;
    if (pool !== undefined && holds(pool)) return true;
    throw new Error(JSON.stringify(pool));
  });
}

t.test(
  'the cap of a backend holds over the old process and the new one',
  { buffered: true },
  async (t) => {
    const service = await start(t, {
      lines: 'max_connections = 3\nqueue_size = 10\nqueue_timeout = "60s"',
    });
    const [first, second] = await sessions(t, service, 2);
    await service.ask<Upgraded>('upgrade');
    const third = await session(t, service);
    const [fourth, fifth] = [await waiter(t, service, 1), await waiter(t, service, 2)];
    const { stdout } = await service.ctl('backends');
    t.match(stdout, /2 of its sessions are of a process that leaves/);
    first?.finish();
    await fourth.read(1);
    third.finish();
    await fifth.read(1);
    t.equal(service.echoes[0]?.peak, 3);
    await poolSettles(service, (pool) => pool.queue_length === 0 && pool.sessions === 3);
    second?.finish();
    await service.daemon.event('left');
    await poolSettles(service, (pool) => pool.sessions === 2);
  },
);

t.test(
  'the cap of a listener holds over both, and what a killed one had is free',
  { buffered: true },
  async (t) => {
    const service = await start(t, { listener: 'max_sessions = 3' });
    const old = await sessions(t, service, 2);
    const { pid } = await service.ask<Upgraded>('upgrade');
    t.not(pid, service.daemon.pid);
    await session(t, service);
    // They wait in the kernel, where they cannot be seen.
    const waiting = await Promise.all([1, 2].map(() => dial(t, service)));
    for (const wire of waiting) await wire.send('x');
    await listenerSettles(service, ({ state, sessions: count }) => state === 'full' && count === 3);
    t.equal(service.echoes[0]?.peak, 3);
    process.kill(service.daemon.pid, 'SIGKILL');
    // Where io_uring holds sockets, the kernel closes them a moment after the channel.
    for (const wire of waiting) await wire.read(1);
    await Promise.all(old.map(({ ended }) => ended));
    await listenerSettles(service, ({ sessions: count }) => count === 3);
  },
);

t.test('least-connections looks at the sessions of both', { buffered: true }, async (t) => {
  const [a, b] = await startEchoes(t, 2);
  if (a === undefined || b === undefined) throw new Error('no backends');
  const service = await start(t, { echoes: [a], health: 'probe = "none"' });
  await sessions(t, service, 3);
  service.daemon.write(service.tomlOf([a, b]));
  await service.ask<Upgraded>('upgrade');
  await sessions(t, service, 3);
  t.same([a.open, b.open], [3, 3]);
});

t.test('two processes may leave at a time, and both count', { buffered: true }, async (t) => {
  const lines = (cap: number) => `max_connections = ${cap}\nqueue_size = 10\nqueue_timeout = "60s"`;
  const service = await start(t, { lines: lines(4) });
  const { ask, ctl, daemon, echoes } = service;
  const first = await session(t, service);
  const { pid: second } = await ask<Upgraded>('upgrade');
  const ofSecond = await session(t, service);
  const { pid: third } = await ask<Upgraded>('upgrade');
  await sessions(t, service, 2);
  const refused = await ctl('upgrade');
  t.equal(refused.code, 1);
  t.match(refused.stderr, new RegExp(`2 processes before .* \\(${second}, ${daemon.pid}\\): wait`));
  const { notes } = await ask<{ readonly notes: readonly string[] }>('status');
  for (const pid of [second, daemon.pid]) {
    t.ok(notes.includes(`process ${pid} leaves: it still finishes 1 session`), notes.join('\n'));
  }
  const listed = await ask<{ readonly elsewhere: readonly string[] }>('sessions');
  t.same(
    listed.elsewhere.filter((one) => notes.includes(one)),
    listed.elsewhere,
    'and a list of sessions says so',
  );
  t.equal(listed.elsewhere.length, 2);
  t.match(await ctl('kill', '1-unknown'), { code: 1, stderr: /it still finishes 1 session/ });
  const waiting = [await waiter(t, service, 1), await waiter(t, service, 2)];
  first.finish();
  await waiting[0]?.read(1);
  daemon.write(service.tomlOf(echoes, lines(5)));
  t.equal((await ctl('reload')).code, 0);
  await waiting[1]?.read(1);
  const last = await waiter(t, service, 1);
  t.equal(echoes[0]?.peak, 5);
  await daemon.event('left', ({ pid }) => pid === daemon.pid);
  process.kill(second, 'SIGKILL');
  await last.read(1);
  await ofSecond.ended;
  const { pid: fourth } = await ask<Upgraded>('upgrade');
  t.not(fourth, third);
});

t.test(
  'clients that come all the time see no cap passed by any upgrade',
  { buffered: true },
  async (t) => {
    const echoes = await startEchoes(t, 2, { delayMs: 5 });
    const lines = `max_connections = ${CAP}\nqueue_size = 100\nqueue_timeout = "60s"`;
    const service = await start(t, { echoes, lines });
    let state: 'under way' | 'over' = 'under way';
    const failures: Failure[] = [];
    const clients = Array.from({ length: 6 * CAP }, async () => {
      while (state === 'under way') {
        const failure = await exchangeOnce(service);
        if (failure !== null) failures.push(failure);
      }
    });
    for (let upgrades = 0; upgrades < 2; upgrades++) {
      const { pid } = await service.ask<{ readonly pid: number }>('status');
      await service.ask<Upgraded>('upgrade');
      await service.daemon.event('left', (left) => left['pid'] === pid);
    }
    state = 'over';
    await Promise.all(clients);
    t.same(tally(failures), {}, 'all are served');
    t.same(
      echoes.map(({ peak }) => peak),
      [CAP, CAP],
      'each was full, none more',
    );
    await poolSettles(service, (pool) => pool.sessions === 0 && pool.queue_length === 0);
  },
);
