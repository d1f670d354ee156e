/** What operators want instead of the file: in force at once, kept, and ended as they said. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { accessLine } from '../support/access_lines.js';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { serviceText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

interface Override {
  readonly backend: string;
  readonly kind: string;
  readonly value: string | number;
  readonly replaced: string | number;
  readonly by: string;
  readonly because: string;
  readonly until: string | null;
}

/** Backends b0, b1 … of pool app; `lines` by backend. */
function service(
  echoes: readonly Pick<EchoBackend, 'address'>[],
  poolLines = '',
  lines: readonly string[] = [],
): string {
  return serviceText({
    name: 'app',
    policy: 'round-robin',
    lines: poolLines,
    backends: echoes.map(({ address }, index) => ({
      name: `b${index}`,
      address,
      lines: lines[index] ?? '',
    })),
  });
}

async function session(t: Test, daemon: Daemon): Promise<Wire> {
  const wire = await tryDial({ port: await daemon.port('app') });
  if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
  t.teardown(() => wire.socket.destroy());
  await wire.send('x');
  await wire.read(1);
  return wire;
}

/** How many of the next `count` sessions each backend gets. */
async function shares(t: Test, daemon: Daemon, echoes: readonly EchoBackend[], count: number) {
  const before = echoes.map(({ served }) => served);
  for (let i = 0; i < count; i++) (await session(t, daemon)).socket.destroy();
  return echoes.map(({ served }, index) => served - (before[index] ?? 0));
}

async function overridesOf({ socket }: Operated): Promise<readonly Override[]> {
  const { body } = await askControl(socket, 'GET', '/v1/overrides');
  return (body as { items: readonly Override[] }).items;
}

/** An order below `sluice ctl`, whose start costs more than everything else here. */
async function order({ socket }: Operated, path: string, body: object): Promise<void> {
  const answer = await askControl(socket, 'POST', `/v1/${path}`, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

t.test(
  'a drained backend keeps its sessions for drain_timeout, and gets no new ones',
  async (t) => {
    const echoes = await startEchoes(t, 2);
    const lines = 'drain_timeout = "1s"\ndrain_spread = "100ms"';
    const operated = await startOperated(t, { toml: service(echoes, lines) });
    const { daemon, ctl } = operated;
    await daemon.backendsUp('app', 2);
    const wires = [await session(t, daemon), await session(t, daemon)];
    const drained = await ctl('drain', 'app/b0', '--for', '1h', '--because', 'kernel update');
    t.equal(drained.code, 0, drained.stderr);
    t.match(drained.stdout, /^app\/b0: drained, until /);
    t.same(await shares(t, daemon, echoes, 6), [0, 6]);
    const text = (await daemon.get('/health?format=text')).body;
    t.match(text, /b0 .* drained .*drained by root: kernel update \(since \S+Z, until \S+Z\)/);
    const { pools } = JSON.parse((await daemon.get('/health')).body);
    t.match(pools[0].backends[0], {
      state: 'drained',
      overrides: [{ kind: 'drain', replaced: 'ready', by: 'root', because: 'kernel update' }],
    });
    t.match(await daemon.event('backend-empty'), { backend: 'b0', cause: 'drained' });
    t.equal(echoes[0]?.open, 0, 'what was left is closed then');
    await Promise.race(wires.map(({ ended }) => ended));
    t.equal(echoes[1]?.open, 1, 'and only that');

    const back = await ctl('ready', 'app/b0', '--wait');
    t.same([back.code, back.stdout], [0, 'app/b0: no longer drained'], back.stderr);
    t.same(await shares(t, daemon, echoes, 6), [3, 3]);
    t.match(daemon.eventsNamed('override-set'), [{ backend: 'b0', value: 'drained', by: 'root' }]);
    t.match(daemon.eventsNamed('override-ended'), [{ backend: 'b0', cause: 'ended', by: 'root' }]);
    const unknown = await ctl('drain', 'app/b7', 'app/b1');
    t.equal(unknown.code, 1);
    t.match(unknown.stderr, /^sluice: There is no backend app\/b7; did you mean/);
    t.same(await overridesOf(operated), [], 'all or nothing');
  },
);

t.test('one in maintenance is not probed, and must prove itself when it is ready', async (t) => {
  const echoes = await startEchoes(t, 2);
  const operated = await startOperated(t, { toml: service(echoes) });
  const { daemon, ctl } = operated;
  await daemon.backendsUp('app', 2);
  t.equal((await ctl('maintain', 'app/b0')).code, 0);
  await echoes[0]?.kill();
  await daemon.event('backend-empty');
  t.same(await shares(t, daemon, echoes, 4), [0, 4]);
  t.equal(daemon.eventsNamed('backend-down').length, 0, 'no probe has looked');
  await order(operated, 'ready', { backends: ['app/b0'] });
  await daemon.event('backend-down', ({ backend }) => backend === 'b0');
  await echoes[0]?.start();
  await daemon.nextEvent('backend-up', ({ backend }) => backend === 'b0');
  t.same(await shares(t, daemon, echoes, 4), [2, 2]);
});

t.test('weights and caps count at once, and reset ends them', async (t) => {
  const echoes = await startEchoes(t, 2);
  const operated = await startOperated(t, { toml: service(echoes, '', ['weight = 4']) });
  const { daemon, ctl, socket } = operated;
  await daemon.backendsUp('app', 2);
  t.same(await shares(t, daemon, echoes, 10), [8, 2]);
  const weighed = await ctl('weight', 'app/b0', '25%');
  t.equal(weighed.stdout, 'app/b0: weight 25% instead of 4');
  t.same(await shares(t, daemon, echoes, 10), [5, 5]);
  await order(operated, 'weight', { backends: ['app/b1'], value: 3 });
  t.same(await shares(t, daemon, echoes, 8), [2, 6]);
  await order(operated, 'drain', { backends: ['app/b1'] });
  await order(operated, 'ready', { backends: ['app/*'] });
  t.same(
    (await overridesOf(operated)).map(({ kind }) => kind),
    ['weight', 'weight'],
    'ready leaves them',
  );

  t.equal((await ctl('cap', 'app/b1', '1')).code, 0);
  await order(operated, 'drain', { backends: ['app/b0'] });
  const wire = await session(t, daemon);
  const refused = await tryDial({ port: await daemon.port('app') });
  if (typeof refused !== 'string') t.match(await refused.ended, /reset|RESET/);
  wire.socket.destroy();
  t.equal((await ctl('reset', 'app/*')).code, 0);
  t.same(await overridesOf(operated), []);
  t.same(await shares(t, daemon, echoes, 10), [8, 2]);
  for (const value of [-1, 1001, 1.5, 'x', '2000%', null]) {
    const bad = await askControl(socket, 'POST', '/v1/weight', { backends: ['app/b0'], value });
    t.equal(bad.status, 400, String(value));
  }
  t.equal((await ctl('weight', 'app/b0', '4')).stdout, 'nothing changes: it is as configured');

  const seen = await askControl(socket, 'GET', '/v1/overrides');
  const drain = (etag: string) =>
    askControl(socket, 'POST', '/v1/drain', { backends: ['app/b0'] }, { 'if-match': etag });
  const first = await drain(seen.etag ?? '');
  t.equal(first.status, 200);
  t.match(await drain(seen.etag ?? ''), { status: 412, body: { type: /changed/ } });
  t.equal((await drain(first.etag ?? '')).status, 200, 'its answer has the new tag');
});

t.test('what was overridden survives a crash; what the file says newly wins over it', async (t) => {
  const echoes = await startEchoes(t, 3);
  const state = tempFolder(t);
  const setup = { toml: service(echoes), state };
  const before = await startOperated(t, setup);
  await before.daemon.backendsUp('app', 3);
  await order(before, 'drain', { backends: ['app/b0'] });
  await order(before, 'weight', { backends: ['app/b1'], value: 3 });
  await order(before, 'cap', { backends: ['app/b2'], value: 7, for: '200ms' });
  t.match(await before.daemon.event('override-ended'), { backend: 'b2', cause: 'expired' });
  await order(before, 'maintain', { backends: ['app/b2'], for: '300ms' });
  before.daemon.signal('SIGKILL');
  await before.daemon.exited;
  const kept = await eventually('the time to be over', () => {
    const { overrides } = JSON.parse(readFileSync(join(state, 'overrides.json'), 'utf8'));
    return overrides.some(({ until }: Override) => Date.parse(until ?? '') > Date.now())
      ? undefined
      : overrides;
  });
  t.equal(kept.length, 3);

  const operated = await startOperated(t, setup);
  const { daemon } = operated;
  await daemon.backendsUp('app', 3);
  t.match(
    daemon.eventsNamed('override-ended'),
    [{ backend: 'b2', kind: 'maintain' }],
    'while down',
  );
  t.same(await shares(t, daemon, echoes, 8), [0, 6, 2]);
  t.match(await overridesOf(operated), [
    { backend: 'app/b0', kind: 'drain', value: 'drained', replaced: 'ready', by: 'root' },
    { backend: 'app/b1', kind: 'weight', value: 3, replaced: 1 },
  ]);
  await daemon.reload(service(echoes, 'retries = 1'));
  t.equal((await overridesOf(operated)).length, 2, 'the same configured values keep them');
  await daemon.reload(service(echoes, '', ['', 'weight = 2']));
  t.match(await daemon.event('override-dropped'), {
    backend: 'b1',
    cause: 'file-changed',
    value: '3',
    before: '1',
    configured: '2',
  });
  t.equal((await overridesOf(operated)).length, 1);
  const renamed = service(echoes).replace('"b0"', '"c0"');
  await daemon.reload(renamed);
  t.match(await daemon.event('override-dropped', ({ backend }) => backend === 'b0'), {
    cause: 'backend-removed',
  });
  t.same(await overridesOf(operated), []);
});

t.test(
  'a state file that makes no sense is put aside, and keeps no daemon from starting',
  async (t) => {
    const echoes = await startEchoes(t, 1);
    const state = tempFolder(t);
    const text = '{ "version": 1, "over';
    writeFileSync(join(state, 'overrides.json'), text);
    const operated = await startOperated(t, { toml: service(echoes), state });
    const unreadable = await operated.daemon.event('state-unreadable');
    t.match(unreadable, { problems: /overrides.json.unreadable/ });
    t.equal(readFileSync(join(state, 'overrides.json.unreadable'), 'utf8'), text);
    await order(operated, 'drain', { backends: ['app/b0'] });
    t.match(readFileSync(join(state, 'overrides.json'), 'utf8'), 'drained');
  },
);

t.test(
  'a held pool lets new sessions wait, over a restart too, and serves them all then',
  async (t) => {
    const echoes = await startEchoes(t, 2);
    const state = tempFolder(t);
    const lines = 'drain_timeout = "1s"\ndrain_spread = "100ms"\nqueue_timeout = "50ms"';
    const setup = { toml: service(echoes, lines), state };
    const before = await startOperated(t, setup);
    await before.daemon.backendsUp('app', 2);
    const running = await session(t, before.daemon);
    const held = await before.ctl(
      'hold',
      'app',
      '--max',
      '2',
      '--drain',
      '--because',
      'switchover',
    );
    t.equal(held.code, 0, held.stderr);
    t.match(held.stdout, /^app: held \(at most 2 wait, existing sessions end\), until /);
    await running.ended;
    t.match(before.daemon.eventsNamed('override-set'), [{ pool: 'app', kind: 'hold', by: 'root' }]);
    before.daemon.signal('SIGKILL');
    await before.daemon.exited;

    const operated = await startOperated(t, setup);
    const { daemon } = operated;
    const port = await daemon.port('app');
    const waiting = await Promise.all([tryDial({ port }), tryDial({ port })]);
    await eventually('both to wait', async () => {
      const { pools } = JSON.parse((await daemon.get('/health')).body);
      return pools[0].queue_length === 2 ? true : undefined;
    });
    const refused = await tryDial({ port });
    if (typeof refused !== 'string') await refused.ended;
    await accessLine(daemon, 'one too many', ({ outcome }) => outcome.cause === 'queue-full');
    const ready = await daemon.get('/ready');
    t.match(ready, { status: 200, body: /pool app is held/ });
    t.match(
      (await operated.ctl('status')).stdout,
      /pool app is held \(at most 2 wait.*\) by root: switchover/,
    );
    const explained = await askControl(
      operated.socket,
      'GET',
      '/v1/explain?listener=app&client=192.0.2.1',
    );
    t.match(explained.body, { chosen: null, outcome: /the pool is held .* by root: switchover/ });
    t.match(await overridesOf(operated), [
      { backend: 'app', kind: 'hold', value: '2 drain', replaced: 'open', because: 'switchover' },
    ]);
    t.equal(echoes[0]?.open, 0, 'no backend was chosen');
    const released = await operated.ctl('release', 'app');
    t.match(released.stdout, /^app: no longer held$/m);
    for (const wire of waiting) {
      if (typeof wire === 'string') throw new Error(wire);
      await wire.send('x');
      await wire.read(1);
      wire.socket.destroy();
    }
    const unknown = await operated.ctl('hold', 'ap');
    t.match(unknown, { code: 1, stderr: /There is no pool ap; did you mean app\?/ });
  },
);

t.test('the level of the log is another one for as long as it was asked for', async (t) => {
  const dead = [{ address: '127.0.0.1:1' }];
  const operated = await startOperated(t, { toml: service(dead) });
  const { daemon, ctl } = operated;
  t.equal((await ctl('log-level', 'debug')).code, 0);
  t.match(await daemon.event('override-set'), { pool: null, kind: 'log-level', value: 'debug' });
  t.match((await daemon.reload(service(dead, 'retries = 1'))).event, 'reloaded');
  await daemon.events.next('a probe that fails, after the reload too', isFailedProbe);
  t.match(await overridesOf(operated), [
    { backend: 'daemon', kind: 'log-level', value: 'debug', replaced: 'info', until: null },
  ]);
  await order(operated, 'log-level', { level: 'error', for: '200ms' });
  t.match(await daemon.event('override-ended'), { kind: 'log-level', cause: 'expired' });
  t.equal(daemon.eventsNamed('override-set').length, 1, 'nothing of less than an error was told');
  t.strictSame(await overridesOf(operated), []);
  const { stderr } = await ctl('log-level', 'loud');
  t.equal(stderr.match(/expected one of trace, debug/g)?.length, 1, 'it is said, and said once');
});

function isFailedProbe({ event }: LogRecord): boolean {
  return event === 'probe-failed';
}
