/**
 * What a change costs control grows with the number of things, whichever shape they have: CPU time
 * of twice as many is compared, so that other work on the machine does not count.
 */
import t from 'tap';
import { diffSpecs } from '../../src/config/diff.js';
import { ListeningSockets } from '../../src/control/listening_sockets.js';
import { partsBetween } from '../../src/control/plan_parts.js';
import { drawPlan, drawPools } from '../../src/control/planner.js';
import type { WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { Spec } from '../../src/core/spec.js';
import { backendSpec, inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

/** `n` backends behind `listeners` listeners; `net` and `weight` distinguish files. */
type Shape = (n: number, net: number, weight: number) => Spec;

const backends = (count: number, net: number, weight: number) =>
  Array.from({ length: count }, (_, index) =>
    backendSpec(`b${index}`, {
      weight,
      address: ipEndpoint(4, `10.${net}.${index >> 8}.${index & 255}`, 1),
    }),
  );
const bind = (index: number) => [ipEndpoint(4, '127.0.0.1', 1 + index)];

const SHAPES: Readonly<Record<string, Shape>> = {
  'one pool': (n, net, weight) =>
    spec([poolSpec('p', { backends: backends(n, net, weight) })], [listenerSpec('l', 'p')]),
  'pools of ten': (n, net, weight) =>
    spec(
      Array.from({ length: n / 10 }, (_, pool) =>
        poolSpec(`p${pool}`, { backends: backends(10, net, weight) }),
      ),
      Array.from({ length: n / 10 }, (_, index) =>
        listenerSpec(`l${index}`, `p${index}`, { bind: bind(index) }),
      ),
    ),
  'listeners of one pool': (n, net, weight) =>
    spec(
      [poolSpec('p', { backends: backends(n, net, weight) })],
      Array.from({ length: n / 10 }, (_, index) =>
        listenerSpec(`l${index}`, 'p', { bind: bind(index) }),
      ),
    ),
};

const FIRST = 4_000;
/** Of a square it would be 4. */
const MOST = 3;
const TRIES = 5;
const TOO_SHORT_MS = 20;

for (const [name, shape] of Object.entries(SHAPES)) {
  t.test(`twice as many cost twice as much: ${name}`, async (t) => {
    let ratio = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && ratio >= MOST; tries++) {
      const once = Math.min(await cpuMs(shape, FIRST), await cpuMs(shape, FIRST));
      const twice = Math.min(await cpuMs(shape, 2 * FIRST), await cpuMs(shape, 2 * FIRST));
      ratio = twice / Math.max(TOO_SHORT_MS, once);
    }
    t.ok(ratio < MOST, `${2 * FIRST} take ${ratio.toFixed(1)} times as long as ${FIRST}`);
  });
}

/** A start, a change of settings, one of all addresses, and the end of what left. */
async function cpuMs(shape: Shape, n: number): Promise<number> {
  const files = [shape(n, 1, 1), shape(n, 1, 2), shape(n / 2, 2, 1)];
  const before = process.cpuUsage();
  const all = inventory();
  const sockets = new ListeningSockets(null, 2);
  let known: Spec | null = null;
  let plan: ReturnType<typeof drawPlan> | null = null;
  for (const [version, file] of files.entries()) {
    if (known !== null) diffSpecs(known, file);
    for (const listener of file.listeners) await sockets.open(`tcp/${listener.name}`, listener);
    all.shortages({ spec: file, resolve: resolved });
    all.leavers({ spec: file, resolve: resolved });
    all.apply(file, resolved);
    const next = drawPlan(all, 0 as WorkerId, {
      version,
      access: 'errors',
      pools: drawPools(all),
      sessionBudget: 1_000,
      tableOf: () => null,
      denied: null,
      sockets: ({ key, spec: listener }, worker) => sockets.planned(key, listener, worker),
    });
    for (const part of partsBetween(plan, next)) {
      if (part.kind !== 'listeners') continue;
      for (const { key } of part.listeners.flatMap((listener) => listener.sockets)) {
        sockets.ownerOf(key);
        sockets.addressOf(key);
      }
    }
    for (const entry of [...all.backends()]) {
      if (entry.tenure === 'leaving') all.releaseBackend(entry);
    }
    all.releasePools();
    all.releaseListeners([...all.listeners.values()].filter(({ tenure }) => tenure === 'leaving'));
    all.releaseCounters();
    sockets.retireAll((key) => all.listeners.get(key)?.spec ?? null);
    [known, plan] = [file, next];
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
