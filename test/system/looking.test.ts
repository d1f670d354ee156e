/** What the control API and `sluice ctl` say of a running daemon: sessions, choices, histories. */
import t, { type Test } from 'tap';
import { accessLine } from '../support/access_lines.js';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import { BINARY } from '../support/daemon.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { Child, runToEnd } from '../support/process.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
interface SessionItem {
  readonly id: string;
  readonly client: string;
  readonly state: string;
  readonly age_ms: number;
}
type Sessions = Page<SessionItem> & { readonly missing: readonly string[] };

const SESSION_FIELDS = [
  'id',
  'listener',
  'pool',
  'backend',
  'client',
  'state',
  'age_ms',
  'idle_ms',
  'bytes_in',
  'bytes_out',
];

async function get<T>({ socket }: Operated, path: string): Promise<T> {
  const { status, body } = await askControl(socket, 'GET', `/v1${path}`);
  if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body as T;
}

const named = (echoes: readonly EchoBackend[]) =>
  echoes.map(({ address }, index) => ({ address, name: 'abcdef'[index] ?? '' }));

/** A client that has exchanged a byte: its session relays. */
async function relayed(test: Test, port: number, from = '127.0.0.1'): Promise<Wire> {
  const wire = await dial(test, { port, localAddress: from });
  await wire.send('x');
  await wire.read(1);
  return wire;
}

t.test('sessions and flows are listed, filtered, in pages, and killed by name', async (t) => {
  const [echoes, udpEchoes] = [await startEchoes(t, 2), await startUdpEchoes(t, 1)];
  const it = await startOperated(t, {
    access: 'all',
    workers: 2,
    toml:
      serviceText({ name: 'app', backends: named(echoes) }) +
      listenerText({ pool: 'dns', protocol: 'udp' }) +
      poolText({
        name: 'dns',
        health: 'probe = "none"',
        backends: udpEchoes.map(({ port }) => ({ address: `127.0.0.1:${port}` })),
      }),
  });
  const { daemon } = it;
  await daemon.backendsUp('app', 2);
  const port = await daemon.port('app');
  const wires = [
    await relayed(t, port),
    await relayed(t, port, '127.0.0.2'),
    await relayed(t, port, '127.0.0.3'),
  ];
  const flow = await udpClient(t, { port: await daemon.port('dns') });
  await flow.ask('hello');

  const all = await it.ask<Sessions>('sessions');
  t.equal(all.items.length, 4);
  for (const item of all.items) t.same(Object.keys(item), SESSION_FIELDS);
  const ages = all.items.map(({ age_ms }) => age_ms);
  t.same(
    ages,
    ages.toSorted((a, b) => b - a),
    'the oldest first',
  );
  t.match(all, { next: null, missing: [] });
  const count = async (query: string) =>
    (await get<Sessions>(it, `/sessions?${query}`)).items.length;
  t.equal(await count('listener=dns'), 1);
  t.equal(await count('pool=app'), 3);
  t.equal(await count('client=127.0.0.2'), 1);
  t.equal(await count('client=127.0.0.0/30&pool=app'), 3);
  t.equal(await count('older=1h'), 0);
  t.equal((await count('backend=app/a')) + (await count('backend=b')), 3);

  const first = await get<Sessions>(it, '/sessions?limit=3&sort=bytes');
  const rest = await get<Sessions>(it, `/sessions?limit=3&sort=bytes&cursor=${first.next}`);
  const ids = [...first.items, ...rest.items].map(({ id }) => id);
  t.equal(new Set(ids).size, 4);
  t.equal(rest.next, null);

  const victim = (await get<Sessions>(it, '/sessions?client=127.0.0.2')).items[0]?.id ?? '';
  t.match(await it.ctl('kill', victim), { code: 0, stdout: '1 session asked to end' });
  t.ok(await wires[1]?.wasReset());
  const line = await accessLine(daemon, 'the session killed', ({ id }) => id === victim);
  t.match(line, { client: /^127\.0\.0\.2:/, outcome: { by: 'sluice', cause: 'killed' } });
  t.match(await daemon.event('sessions-killed'), { by: 'root', sessions: 1, detail: victim });
  const again = await it.ctl('kill', victim);
  t.match(again, { code: 1, stderr: `There is no session ${victim}` });
  t.match(await it.ctl('kill'), { code: 2, stderr: /Name either one session or/ });
  t.match(await it.ctl('kill', '--pool', 'ap'), { code: 1, stderr: /did you mean app\?/ });
  t.match(await it.ctl('kill', '--pool', 'app', '--spread', '100ms', '--json'), {
    code: 0,
    stdout: /"killed": 2/,
  });
  for (const wire of [wires[0], wires[2]]) t.ok(await wire?.wasReset());
  t.match(await it.ctl('kill', '--listener', 'dns'), { stdout: '1 session asked to end' });
  await accessLine(daemon, 'the flow', ({ listener }) => listener === 'dns');
  t.equal(await count(''), 0);
});

interface Explanation {
  readonly chosen: string | null;
  readonly rule: string;
  readonly outcome: string;
  readonly backends: readonly {
    readonly backend: string;
    readonly eligible: boolean;
    readonly reason: string | null;
    readonly score: number | null;
  }[];
}

t.test(
  'explain shows the choice of a client and why not the others, before it comes',
  async (t) => {
    const echoes = await startEchoes(t, 3);
    const dead = { address: `127.0.0.1:${await freePort()}`, name: 'dead' };
    const pool = (policy: string) => ({
      name: policy,
      policy,
      backends: [...named(echoes), dead],
    });
    const it = await startOperated(t, {
      toml:
        serviceText(pool('source-hash')) +
        serviceText(pool('least-connections')) +
        serviceText({
          name: 'tight',
          lines: 'queue_size = 5',
          backends: named(echoes.slice(0, 1)).map((one) => ({
            ...one,
            lines: 'max_connections = 1',
          })),
        }),
    });
    const { daemon } = it;
    for (const name of ['source-hash', 'least-connections']) await daemon.backendsUp(name, 3);
    await daemon.event('backend-down', ({ pool: its }) => its === 'least-connections');
    await daemon.event('backend-down', ({ pool: its }) => its === 'source-hash');

    for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.9']) {
      const told = await get<Explanation>(it, `/explain?listener=source-hash&client=${address}`);
      const words = ['explain', '-c', daemon.file, 'source-hash', address, '--json'];
      const { stdout } = await runToEnd(process.execPath, [BINARY, ...words]);
      const byFile = JSON.parse(stdout) as Explanation;
      // By the file all of them are up.
      const isElsewhere = byFile.chosen === 'source-hash/dead';
      t.equal(isElsewhere ? told.chosen : byFile.chosen, told.chosen);
      const before = echoes.map(({ served }) => served);
      await relayed(t, await daemon.port('source-hash'), address);
      const at = echoes.findIndex(({ served }, index) => served > (before[index] ?? 0));
      t.equal(told.chosen, `source-hash/${'abc'[at]}`, `${address}: ${told.rule}`);
      t.equal(told.outcome, `It goes to source-hash/${'abc'[at]}.`);
      t.match(told.backends[3], { backend: 'source-hash/dead', eligible: false, reason: 'down' });
    }

    const port = await daemon.port('least-connections');
    for (let n = 0; n < 2; n++) await relayed(t, port);
    const least = await it.ask<Explanation>('explain', 'least-connections', '10.0.0.7:1234');
    const eligible = least.backends.filter((one) => one.eligible);
    const best = eligible.toSorted((a, b) => (a.score ?? 0) - (b.score ?? 0));
    t.equal(least.chosen, best[0]?.backend);
    t.same(eligible.map(({ score }) => score).toSorted(), [1, 2, 2], 'two of three have a session');

    const text = await it.ctl('explain', 'tight', '10.0.0.7');
    t.match(text.stdout, /^The listener has no routes: .*\nIt goes to tight\/a\./);
    await relayed(t, await daemon.port('tight'));
    const queued = await get<Explanation>(it, '/explain?listener=tight&client=10.0.0.7');
    t.match(queued, { chosen: null, outcome: 'It waits in the queue, up to 5 s, behind 0 of 5.' });
    t.match(queued.backends, [{ eligible: false, reason: 'full' }]);
    t.match(await it.ctl('explain', 'tigth', '10.0.0.7'), {
      code: 1,
      stderr: 'There is no listener tigth; did you mean tight?',
    });
    t.match(await it.ctl('explain', 'tight', 'nonsense'), { code: 2, stderr: /not an address/ });
    await it.ctl('cap', 'tight/a', '2', '--because', 'a test');
    const capped = await it.ctl('explain', 'tight', '10.0.0.7');
    t.match(capped.stdout, /\ntight\/a: cap 2 instead of 1 by \S+: a test \(since \S+Z\)\n\n/);
  },
);

interface BackendItem {
  readonly pool: string;
  readonly name: string;
  readonly state: string;
  readonly cause: string | null;
  readonly reason: string;
}

interface PoolItem {
  readonly evenness: Readonly<
    Record<'load' | 'first_byte_ms' | 'failures', Readonly<Record<string, unknown>> | null>
  >;
}

t.test('pools say which backend has most, idle backups aside, as metrics do', async (t) => {
  const echoes = await startEchoes(t, 5);
  const backends = named(echoes).map((one, index) => ({
    ...one,
    lines: index < 3 ? '' : 'backup = true',
  }));
  const it = await startOperated(t, {
    toml: serviceText({ name: 'app', policy: 'round-robin', backends }),
  });
  const { daemon } = it;
  await daemon.backendsUp('app', 5);
  const port = await daemon.port('app');
  for (let n = 0; n < 3; n++) await relayed(t, port);
  await it.ctl('drain', 'app/b', 'app/c');
  for (let n = 0; n < 2; n++) await relayed(t, port);
  await it.ctl('ready', 'app/b', 'app/c');
  const { items } = await it.ask<Page<PoolItem>>('pools');
  t.match(items[0]?.evenness.load, { greatest: 3, median: 1, backend: 'a' });
  t.match(await it.ctl('pools'), { code: 0, stdout: / 1, a 3 / });
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_pool_load_median', { pool: 'app' }), 1);
  t.equal(metrics.sum('sluice_pool_load_max', { pool: 'app' }), 3);
});

t.test('lists, why, events and wait show one story of a backend that went and came', async (t) => {
  const echoes = await startEchoes(t, 2);
  const it = await startOperated(t, {
    toml: serviceText({ name: 'app', backends: named(echoes) }),
  });
  const { daemon } = it;
  await daemon.backendsUp('app', 2);
  t.match(await it.ctl('wait', 'app/a', 'up'), { code: 0, stdout: 'app/a is up' });
  const [victim] = echoes;
  const port = await daemon.port('app');
  const wires = [await relayed(t, port), await relayed(t, port)];
  t.match(await it.ctl('pools'), { code: 0, stdout: /app +up +\d+ s +2 of 2 +2 / });
  await victim?.kill();
  await daemon.event('backend-down');
  const waiting = await it.ctl('wait', 'app/a', 'eligible', '--timeout', '100ms');
  t.match(waiting, { code: 1, stderr: /app\/a is not eligible after 100ms \(down, .*refused/ });

  const listed = await it.ask<Page<BackendItem>>('backends', 'app');
  const health = JSON.parse((await daemon.get('/health')).body) as {
    readonly pools: readonly { readonly backends: readonly BackendItem[] }[];
  };
  const [a] = listed.items;
  const same = health.pools[0]?.backends[0];
  t.match(a, { pool: 'app', name: 'a', state: 'down', cause: 'down', reason: same?.reason });
  t.match(await it.ctl('backends', 'app'), { stdout: /app\/a +127\.0\.0\.1:\d+ +down/ });
  t.match(await it.ctl('listeners'), { stdout: /app +tcp +0\.0\.0\.0:\d+ +app +open/ });

  const completed = await runToEnd(process.execPath, [
    BINARY,
    ...['complete', '--', 'ctl', 'why', '--socket', it.socket, 'app/'],
  ]);
  t.equal(completed.stdout, 'app/a\napp/b');
  const args = ['ctl', 'events', '--follow', '--json', '--since', '1h', '--event', 'backend-up'];
  const follower = new Child(process.execPath, [BINARY, ...args, '--socket', it.socket]);
  t.teardown(() => follower.stop());
  const isUp = () => follower.stdout.past.length === 2;
  if (!isUp()) await follower.stdout.next('both that came up before', isUp);
  await victim?.start();
  const isAgain = (line: string) => follower.stdout.past.indexOf(line) === 2;
  const again = JSON.parse(await follower.stdout.first('the event that follows', isAgain));
  t.match(again, { event: 'backend-up', pool: 'app', backend: 'a', level: 'info' });
  await it.ctl('wait', 'app/a', 'eligible');
  interface Entry {
    readonly event: string;
    readonly count: number;
    readonly cause: string | null;
    readonly detail: string | null;
  }
  const why = await get<{ readonly backend: BackendItem; readonly history: readonly Entry[] }>(
    it,
    '/why?backend=app/a',
  );
  t.match(why.backend, { name: 'a', state: 'up' });
  const changes = why.history.map(({ event }) => event);
  t.same(
    changes.filter((event) => event !== 'probe-failed'),
    ['backend-added', 'backend-up', 'backend-down', 'backend-up'],
  );
  const failed = why.history.find(({ event }) => event === 'probe-failed');
  t.ok((failed?.count ?? 0) >= 2, 'what led there');
  const [down] = daemon.eventsNamed('backend-down');
  t.match(
    why.history.find(({ event }) => event === 'backend-down'),
    { cause: down?.['cause'], detail: down?.['detail'] },
  );
  const told = await it.ctl('why', 'app/a');
  t.match(told, { code: 0, stdout: /backend-down +\S+ +.*refused/ });
  t.match(told.stdout, /\nSESSIONS +RETRIES +IN +OUT .*\n\d+ +\d+ +/);
  t.match(await it.ctl('why', 'app'), {
    code: 1,
    stderr: 'how one of its backends is (app/a, app/b).',
  });
  t.match(await it.ctl('why', 'app/c'), { code: 1, stderr: /no backend app\/c; / });

  const downs = await it.ask<Page<{ readonly event: string }>>('events', '--event', 'backend-down');
  t.match(downs.items, [
    { event: 'backend-down', pool: 'app', backend: 'a', ...down, level: 'warn' },
  ]);
  const newest = await it.ask<Page<{ readonly number: number }>>('events', '--limit', '1');
  const first = await it.ask<Page<{ readonly number: number }>>(
    'events',
    '--since',
    '1h',
    '--limit',
    '1',
  );
  t.ok((newest.items[0]?.number ?? 0) > (first.items[0]?.number ?? 0), 'the newest, unless since');
  t.match(await it.ctl('events', '--since', '1h'), { stdout: / ready listeners=1 pools=1 / });
  t.match(await it.ctl('events', '--event', 'backend-dwn'), {
    code: 1,
    stderr: /did you mean backend-down,/,
  });
  for (const wire of wires) wire.socket.destroy();
});
