/**
 * What a worker does when its doorbell rings, as it does for each verdict on any backend: counted
 * in steps, not in time.
 */
import t from 'tap';
import type { BackendId, ListenerId, PoolId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { ListenerPlan, Plan, PoolPlan } from '../../src/core/plan.js';
import { StepCounter } from '../support/steps.js';
import { type Bed, backendId, bed, KEY } from './tcp/bed.js';

const FEW = 10;
const MANY = 200;
/** A client's listener and pool stand behind all others. */
const LAST_KEY = KEY + MANY;

const steps = new StepCounter('/src/session/', '/src/pool/');
await steps.start();

t.test('a ring costs the same with ten pools and listeners and with two hundred', async (t) => {
  const [few, many] = [await rings(FEW), await rings(MANY)];
  t.equal(many.calm, few.calm, 'where nothing waits');
  t.equal(many.waits, few.waits, 'where sessions of one pool wait, and one listener has paused');
  t.ok(many.waits > many.calm);
  t.equal(many.after, few.after, 'when they wait no longer');
});

t.teardown(() => steps.stop());

/** Steps of a worker for a ring, with this many pools, TCP listeners and UDP listeners. */
async function rings(count: number) {
  const test = await bed({ health: 'unproven' });
  await test.apply(planOf(test, count));
  const calm = await ring(test);
  const { tcp } = test.worker(0);
  // It waits for a first verdict, and has the only place of its listener.
  tcp.connect(LAST_KEY, ipEndpoint(4, '198.51.100.1', 1));
  test.turn();
  await ring(test);
  const waits = await ring(test);
  test.ledger.setHealth(backendId(0), 'up');
  await ring(test);
  const [found] = tcp.pairs.values();
  if (found?.state !== 'dialling') throw new Error('the ring has not found the session that waits');
  for (const { id } of tcp.pairs.values()) tcp.ends(id, { kind: 'client-gone' });
  test.turn();
  await ring(test);
  return { calm, waits, after: await ring(test) };
}

async function ring(test: Bed): Promise<number> {
  await steps.take();
  test.worker(0).plane.rung();
  return steps.take();
}

/** Every listener leads to a pool of its own; those for UDP come first. */
function planOf(test: Bed, count: number): Partial<Plan> {
  const [first] = test.plan.pools;
  if (first === undefined) throw new Error('there is no pool');
  const pools: PoolPlan[] = [];
  const listeners: ListenerPlan[] = [];
  for (let at = 0; at < count; at++) {
    const id = at as PoolId;
    const isLast = at === count - 1;
    const row = isLast ? backendId(0) : ((10 + at) as BackendId);
    const backends = first.backends.slice(0, 1).map((backend) => ({ ...backend, id: row }));
    pools.push({ ...first, id, name: `p${at}`, backends });
    const key = isLast ? LAST_KEY : KEY + 1 + at;
    listeners.push(listenerOf(test, 'udp', at, key, id));
    listeners.push(listenerOf(test, 'tcp', count + at, key, id));
  }
  return { pools, listeners };
}

function listenerOf(
  test: Bed,
  protocol: 'tcp' | 'udp',
  at: number,
  key: number,
  pool: PoolId,
): ListenerPlan {
  const source = {
    kind: 'bind',
    local: ipEndpoint(4, '192.0.2.1', key),
    reusePort: 'exclusive',
  } as const;
  return test.listener({
    id: at as ListenerId,
    name: `${protocol}${at}`,
    protocol,
    sockets: [{ key, source, socket: protocol === 'tcp' ? key : -key }],
    pool,
    maxSessions: 1,
  });
}
