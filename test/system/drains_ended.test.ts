/** A drain or hold that is over ends no further session; a hold with --drain ends all in time. */
import t, { type Test } from 'tap';
import { type Operated, startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { serviceText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

const SESSIONS = 20;
/** The span over which they close: an order between the first close and the last comes easily. */
const LINES = 'drain_timeout = "500ms"\ndrain_spread = "60s"\nqueue_timeout = "1m"';

interface Listed {
  readonly items: readonly { readonly state: string }[];
}

interface Overrides {
  readonly items: readonly { readonly kind: string; readonly value: string | number }[];
}

interface Bed extends Operated {
  readonly wires: readonly Wire[];
  /** How many of `wires` have been closed by the daemon. */
  readonly closed: () => number;
  readonly port: number;
  readonly toml: (...names: readonly string[]) => string;
}

async function start(t: Test, lines: string): Promise<Bed> {
  const echoes = await startEchoes(t, 2);
  const named = echoes.map(({ address }, index) => ({ name: `b${index}`, address }));
  const toml = (...names: readonly string[]): string => {
    const backends = named.filter(({ name }) => names.includes(name));
    return serviceText({ name: 'app', policy: 'round-robin', backends, lines });
  };
  const operated = await startOperated(t, { toml: toml('b0'), workers: 2 });
  await operated.daemon.backendsUp('app', 1);
  const port = await operated.daemon.port('app');
  const wires = await Promise.all(Array.from({ length: SESSIONS }, () => open(t, port)));
  await operated.daemon.reload(toml('b0', 'b1'));
  await operated.daemon.backendsUp('app', 2);
  let closed = 0;
  for (const wire of wires) void wire.ended.then(() => closed++);
  return { ...operated, wires, closed: () => closed, port, toml };
}

async function open(t: Test, port: number): Promise<Wire> {
  const wire = await tryDial({ port });
  if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
  t.teardown(() => wire.socket.destroy());
  await wire.send('x');
  await wire.read(1);
  return wire;
}

function someClosed({ closed }: Bed): Promise<true> {
  return eventually('the first to be closed', () => (closed() > 0 ? true : undefined));
}

/** No session of the daemon is about to end, and each that is left carries bytes. */
async function allStay(t: Test, { ask, wires, closed }: Bed): Promise<void> {
  const { items } = await ask<Listed>('sessions');
  t.same(new Set(items.map(({ state }) => state)), new Set(['relaying']));
  const left = wires.filter(({ socket }) => socket.readable && socket.writable);
  t.ok(left.length >= SESSIONS / 2, `${left.length} of ${SESSIONS} are left`);
  t.equal(left.length, SESSIONS - closed());
  for (const wire of left) {
    await wire.send('y');
    t.equal(await wire.readText(1), 'y');
  }
}

async function done({ ctl }: Bed, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await ctl(...words);
  if (code !== 0) throw new Error(`sluice ctl ${words.join(' ')}: ${stderr}`);
}

/** They wait more than they work. */
t.jobs = 3;

for (const kind of ['drain', 'maintain'] as const) {
  t.test(`ready after ${kind} lets those be that have not ended`, { buffered: true }, async (t) => {
    const bed = await start(t, LINES);
    await done(bed, kind, 'app/b0');
    await someClosed(bed);
    await done(bed, 'ready', 'app/b0');
    await allStay(t, bed);
  });
}

t.test('a release lets those be that have not ended', { buffered: true }, async (t) => {
  const bed = await start(t, LINES);
  await done(bed, 'hold', 'app', '--drain');
  await someClosed(bed);
  await done(bed, 'release', 'app');
  await allStay(t, bed);
});

t.test('a drain goes on when the hold of its pool is over', { buffered: true }, async (t) => {
  const bed = await start(t, LINES);
  await done(bed, 'hold', 'app', '--drain');
  await done(bed, 'drain', 'app/b0');
  await bed.daemon.event('sessions-closing', ({ span_ms: span }) => span === 60_000);
  await someClosed(bed);
  await eventually('the drain to close, too', () =>
    bed.daemon.eventsNamed('sessions-closing').length === 2 ? true : undefined,
  );
  await done(bed, 'release', 'app');
  const { items } = await bed.ask<Listed>('sessions', '--backend', 'app/b0');
  t.same(new Set(items.map(({ state }) => state)), new Set(['draining']));
});

t.test('a backend that a reload brings back keeps what is left', { buffered: true }, async (t) => {
  const bed = await start(t, LINES);
  await bed.daemon.reload(bed.toml('b1'));
  await someClosed(bed);
  await bed.daemon.reload(bed.toml('b0', 'b1'));
  await allStay(t, bed);
});

t.test('a kill is not taken back with a drain', { buffered: true }, async (t) => {
  const bed = await start(t, LINES);
  await done(bed, 'drain', 'app/b0');
  await someClosed(bed);
  await done(bed, 'kill', '--backend', 'app/b0', '--spread', '61s');
  await done(bed, 'ready', 'app/b0');
  const { items } = await bed.ask<Listed>('sessions');
  t.same(new Set(items.map(({ state }) => state)), new Set(['draining']));
});

t.test(
  'by default a hold with --drain ends all long before its end',
  { buffered: true },
  async (t) => {
    const bed = await start(t, '');
    const short = await bed.ctl('hold', 'app', '--drain', '--for', '31s');
    t.match(short, {
      code: 2,
      stderr: /over 30s \(drain_spread of pool app\).*more than 31s \(--for\)/,
    });
    t.same((await bed.ask<Overrides>('overrides')).items, []);
    await done(bed, 'hold', 'app', '--drain');
    const waiting = await tryDial({ port: bed.port });
    if (typeof waiting === 'string') throw new Error(waiting);
    t.teardown(() => waiting.socket.destroy());
    await waiting.send('z');
    // The default span is 30 s, after one in which every worker learns of the hold.
    await eventually(
      'all to be closed',
      () => (bed.closed() === SESSIONS ? true : undefined),
      40_000,
    );
    t.match((await bed.ask<Overrides>('overrides')).items, [{ kind: 'hold', value: '1000 drain' }]);
    await done(bed, 'release', 'app');
    t.equal(await waiting.readText(1), 'z', 'what has waited is served');
    const { items } = await bed.ask<Listed>('sessions');
    t.match(items, [{ state: 'relaying' }]);
  },
);
