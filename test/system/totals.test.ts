/** What is counted stays counted: random reloads with traffic, and every total that a page has. */
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import type { Exposition } from '../support/exposition.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { seed } from '../support/seed.js';
import { type BackendText, listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

const ROUNDS = 10;
const NAMES = ['a', 'b', 'u'] as const;
type Name = (typeof NAMES)[number];

t.test(`no total falls, and what runs is shown, over any reloads (SEED=${seed})`, async (t) => {
  const bed = await bedOf(t, seededRandom(seed));
  let present = new Set<Name>(NAMES);
  const daemon = await startDaemon(t, { toml: bed.toml(present), workers: 2 });
  const seen = new Map<string, number>();
  const held: Wire[] = [];
  let flows = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of present) {
      const port = bed.ports[name];
      if (name === 'u') {
        const client = await udpClient(t, { port });
        await client.ask('hello');
        flows++;
        continue;
      }
      const wire = await dial(t, { port });
      await wire.send('hello');
      t.equal(await wire.readText(5), 'hello');
      held.push(wire);
    }
    for (let ends = below(bed.random, held.length + 1); ends > 0; ends--) {
      const wire = held.splice(below(bed.random, held.length), 1)[0];
      wire?.finish();
      await wire?.readAll();
    }
    await daemon.metricSettles('sluice_sessions_active', {}, (n) => n === held.length + flows);
    await grown(t, daemon, seen, `round ${round}`);
    present = bed.some();
    t.equal((await daemon.reload(bed.toml(present))).event, 'reloaded');
  }
  for (const wire of held) wire.finish();
  await daemon.metricSettles('sluice_sessions_active', {}, (n) => n === flows);
  await grown(t, daemon, seen, 'the end');
  // Each is a page that is made now and then: the newer one may be ahead for a moment.
  await eventually('both pages say the same', async () => {
    const begun = (await daemon.metrics()).sum('sluice_accepted_total');
    return (await traffic(daemon))['sessions_total'] === begun ? true : undefined;
  });
});

t.test('histograms are per pool, and per listener and backend when asked for', async (t) => {
  const echoes = await startEchoes(t, 2);
  const health = 'probe = "tcp"\ninterval = "100ms"\n';
  const pool = { name: 'echo', policy: 'round-robin', backends: echoes, health };
  const text = listenerText({ pool: 'echo' }) + poolText(pool);
  const daemon = await startDaemon(t, { toml: text, workers: 1 });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  for (let i = 0; i < 4; i++) t.equal(await exchangeOnce({ port }), null);
  const counts = ['sluice_session_seconds_count', 'sluice_probe_seconds_count'] as const;
  await daemon.metricSettles(counts[0], {}, (sum) => sum === 4);
  /** A page may be a quarter of a second old, and probes go on. */
  const labelled = (...expected: readonly (readonly string[])[]): Promise<Exposition> =>
    eventually(`histograms of ${expected.join(' and ')}`, async () => {
      const page = await daemon.metrics();
      const found = counts.map((name) =>
        page.select(name).map(({ labels }) => Object.keys(labels).join(' ')),
      );
      if (isDeepStrictEqual(found, expected)) return page;
      throw new Error(JSON.stringify(found));
    });
  await labelled(['pool'], ['pool']);

  // The text follows the section [admin].
  t.equal((await daemon.reload(`backend_histograms = true\n${text}`)).event, 'reloaded');
  const each = [Array(2).fill('listener pool backend'), Array(2).fill('pool backend')];
  t.equal((await labelled(...each)).sum(counts[0]), 4, 'what was counted before is counted there');
  t.match(await daemon.reload(text), { event: 'reloaded', changed: ['admin'] });
  await labelled(['pool'], ['pool']);
});

interface Bed {
  readonly random: Random;
  readonly ports: Readonly<Record<Name, number>>;
  toml(present: ReadonlySet<Name>): string;
  some(): Set<Name>;
}

/** Listeners lead to either pool; backends come, go and change their addresses. */
async function bedOf(t: Test, random: Random): Promise<Bed> {
  const echoes = await startEchoes(t, 3);
  const udp = await startUdpEchoes(t, 2);
  const [a, b, u] = await Promise.all(NAMES.map(() => freePort()));
  const ports = { a: a ?? 0, b: b ?? 0, u: u ?? 0 };
  const pick = <Item>(items: readonly Item[]): Item => items[below(random, items.length)] as Item;
  const members = (of: readonly { address: string }[]): BackendText[] =>
    ['x', 'y'].slice(0, 1 + below(random, 2)).map((name) => ({ name, address: pick(of).address }));
  const listener = (name: Name): string => {
    const isUdp = name === 'u';
    const pool = isUdp ? 'd' : pick(['p', 'q']);
    const bind = `0.0.0.0:${ports[name]}`;
    return listenerText({ name, pool, bind, protocol: isUdp ? 'udp' : 'tcp' });
  };
  const pool = (name: string, of: readonly { address: string }[]): string =>
    poolText({ name, backends: members(of), health: 'probe = "none"' });
  return {
    random,
    ports,
    toml: (present) =>
      [...[...present].map(listener), pool('p', echoes), pool('q', echoes), pool('d', udp)].join(
        '',
      ),
    some: () => {
      const chosen = NAMES.filter(() => below(random, 2) === 0);
      return new Set(chosen.length === 0 ? [pick(NAMES)] : chosen);
    },
  };
}

async function traffic(daemon: Daemon): Promise<Readonly<Record<string, number>>> {
  const page = JSON.parse((await daemon.get('/health')).body) as {
    readonly traffic: Readonly<Record<string, number>>;
  };
  return page.traffic;
}

async function grown(t: Test, daemon: Daemon, seen: Map<string, number>, when: string) {
  const now = new Map<string, number>();
  for (const { name, labels, value } of (await daemon.metrics()).samples) {
    if (/^sluice_.*_(total|count|sum|bucket)$/.test(name)) {
      now.set(`${name} ${JSON.stringify(labels)}`, value);
    }
  }
  for (const [name, value] of Object.entries(await traffic(daemon))) {
    if (name.endsWith('_total')) now.set(name, value);
  }
  const fallen = [...seen].filter(([name, before]) => (now.get(name) ?? 0) < before);
  t.same(fallen, [], `nothing has fallen, ${when}`);
  for (const [name, value] of now) seen.set(name, value);
}
