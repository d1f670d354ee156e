/**
 * While a plan travels, each route of each open socket leads to what the plan before or the plan
 * after has for it, whatever names listeners and pools exchange. Seeded.
 */
import t from 'tap';
import { partsBetween } from '../../src/control/plan_parts.js';
import { drawPlan, drawPools } from '../../src/control/planner.js';
import type { PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { Directions, Plan, PlanPart } from '../../src/core/plan.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { EVERY_SESSION } from '../../src/core/routes.js';
import type { RouteSpec } from '../../src/core/spec.js';
import { PlanCopy } from '../support/plan_copy.js';
import { seed } from '../support/seed.js';
import { backendSpec, inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

const SOCKETS = 4;

/** As a worker has them: where the open sockets lead, by their keys. */
class Leads {
  readonly #pools = new PlanCopy();
  readonly #byKey = new Map<number, Directions>();

  take(part: PlanPart): void {
    this.#pools.take(part);
    if (part.kind === 'switch') {
      for (const { key, directions } of part.leads) this.#byKey.set(key, directions);
    }
    if (part.kind === 'listeners') {
      for (const listener of part.listeners) {
        for (const { key } of listener.sockets) this.#byKey.set(key, listener);
      }
    }
  }

  close(keys: Iterable<number>): void {
    for (const key of keys) this.#byKey.delete(key);
  }

  get all(): readonly { readonly key: number; readonly backends: string }[] {
    return [...this.#byKey].map(([key, directions]) => {
      return { key, backends: waysOf(directions, (pool) => this.#backends(pool)) };
    });
  }

  #backends(id: PoolId): string {
    const backends = this.#pools.pool(id)?.backends ?? [];
    const serving = backends.filter(({ draining, yielding }) => !draining && !yielding);
    return serving.map(({ name }) => name).join();
  }
}

t.test(`no socket leads where neither plan has it lead (SEED=${seed})`, (t) => {
  const random = seededRandom(seed);
  const all = inventory();
  let version = 0;
  const draw = (): Plan => {
    all.apply(anySpec(random), resolved);
    return drawPlan(all, 0 as WorkerId, {
      version: ++version,
      access: 'errors',
      pools: drawPools(all),
      sessionBudget: 1_000,
      tableOf: () => null,
      denied: null,
      sockets: ({ id, spec: { bind } }) =>
        bind.map((local) => {
          const socket = local.kind === 'ip' ? local.port : 0;
          const source = { kind: 'bind', local, reusePort: 'shared' } as const;
          return { key: keyOf(id, socket), source, socket };
        }),
    });
  };
  const worker = new Leads();
  let before = draw();
  for (const part of partsBetween(null, before)) worker.take(part);
  let switches = 0;
  for (let round = 0; round < 300; round++) {
    const after = draw();
    const [was, shallBe] = [wanted(before), wanted(after)];
    const parts = partsBetween(before, after);
    for (const part of parts) {
      worker.take(part);
      if (part.kind === 'switch') switches++;
      for (const { key, backends } of worker.all) {
        const socket = key % SOCKETS;
        const moved = listenerLeads(after, Math.floor(key / SOCKETS));
        const may = [was.get(socket), shallBe.get(socket) ?? moved ?? backends];
        if (!fits(backends, may)) t.fail(`${socket}: ${backends}, not ${may.join(' or ')}`);
      }
    }
    const open = new Set(after.listeners.flatMap(({ sockets }) => sockets.map(({ key }) => key)));
    worker.close(worker.all.map(({ key }) => key).filter((key) => !open.has(key)));
    for (const { key, backends } of worker.all) {
      if (shallBe.get(key % SOCKETS) !== backends) t.fail(`${key} leads to ${backends} at the end`);
    }
    before = after;
  }
  t.ok(switches > 30, `${switches} switches`);
  t.end();
});

/** By route, where its clients are served. */
function waysOf({ pool, routes }: Directions, servedBy: (pool: PoolId) => string): string {
  return [...routes, { pool }].map((to) => (to.pool === null ? '-' : servedBy(to.pool))).join('|');
}

/** Each route of a socket leads where one of both plans has it lead; clients take one of them. */
function fits(ways: string, may: readonly (string | undefined)[]): boolean {
  const routes = ways.split('|');
  const same = may.map((one) => one?.split('|')).filter((one) => one?.length === routes.length);
  return routes.every((way, index) => same.some((one) => one?.[index] === way));
}

function keyOf(listener: number, socket: number): number {
  return listener * SOCKETS + socket;
}

/** What the listener has; undefined: it is gone. */
function listenerLeads(plan: Plan, id: number): string | undefined {
  const listener = plan.listeners.find((one) => one.id === id);
  return listener && waysOf(listener, (pool) => servingIn(plan, pool));
}

function servingIn({ pools }: Plan, id: PoolId): string {
  const backends = pools.find((pool) => pool.id === id)?.backends ?? [];
  return backends
    .filter(({ draining }) => !draining)
    .map(({ name }) => name)
    .join();
}

/** By socket: the backends that a plan has for it. */
function wanted(plan: Plan): Map<number, string> {
  return new Map(
    plan.listeners.flatMap((listener) => {
      const ways = waysOf(listener, (pool) => servingIn(plan, pool));
      return listener.sockets.map(({ socket }) => [socket, ways] as const);
    }),
  );
}

/** Which listener has a socket, whether any has, where those lead and what is there changes. */
function anySpec(random: Random) {
  const pools = Array.from({ length: 3 }, (_, pool) =>
    poolSpec(`p${pool}`, { backends: [backendSpec(`b${below(random, 4)}`)] }),
  );
  const binds = Array.from({ length: SOCKETS }, (): number[] => []);
  for (let socket = 0; socket < SOCKETS; socket++) {
    if (below(random, 5) > 0) binds[below(random, SOCKETS)]?.push(socket);
  }
  const listeners = binds.flatMap((sockets, index) =>
    sockets.length === 0
      ? []
      : [
          listenerSpec(`l${index}`, `p${below(random, pools.length)}`, {
            routes: anyRoutes(random, pools.length),
            bind: sockets.map((socket) => ipEndpoint(4, '0.0.0.0', socket)),
          }),
        ],
  );
  return spec(pools, listeners);
}

/** Often none, and sometimes the same as before with another pool, or none, behind it. */
function anyRoutes(random: Random, pools: number): readonly RouteSpec[] {
  return Array.from({ length: below(random, 3) }, (_, index) => ({
    conditions: { ...EVERY_SESSION, serverNames: [`h${index}.example`] },
    pool: below(random, 6) === 0 ? null : `p${below(random, pools)}`,
  }));
}
