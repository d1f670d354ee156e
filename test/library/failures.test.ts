/**
 * Real servers under load: one is killed, stopped, ten times slower, and back; both of two are gone
 * and back. No request fails that a retry could save, and load comes back with the verdict.
 */
import t, { type Test } from 'tap';
import { POLICY_NAMES } from '../../src/core/spec.js';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { eventually, nowMs } from '../support/deadline.js';
import { Load, type Service, startServices } from './services.js';

const HEALTH = {
  probe: 'http',
  interval: '300ms',
  fastInterval: '50ms',
  downInterval: '200ms',
  timeout: '300ms',
  fall: 2,
  rise: 2,
} as const;
/** Between two probes of one that is down, and to the second that is well; with jitter. */
const RISE_MS = 1.1 * (200 + 50);
/** Two probes, and whatever else two busy cores do. */
const SLACK_MS = 1_500;

interface Bed {
  readonly services: readonly Service[];
  readonly ports: readonly number[];
  readonly balancer: Balancer;
  readonly load: Load;
}

async function bed(t: Test, options: BalancerOptions): Promise<Bed> {
  const services = await startServices(t, 3);
  const ports = services.map(({ port }) => port);
  const balancer = await createBalancer({
    backends: services.map(({ address }) => address),
    health: HEALTH,
    outlier: { consecutiveFailures: 2, baseEjection: '10s' },
    ...options,
  });
  t.teardown(() => balancer.close());
  const load = new Load(balancer, 4);
  t.teardown(() => load.end());
  await load.more(ports, 20);
  return { services, ports, balancer, load };
}

function stateIs(balancer: Balancer, { address }: Service, state: string): Promise<true> {
  return eventually(`${address} is ${state}`, () => {
    const found = balancer.snapshot().backends.find((one) => one.address === address);
    return found?.state === state ? true : undefined;
  });
}

/** From now on it is well again: its load is back within its rise. */
async function comesBack(
  t: Test,
  { balancer, load, ports }: Bed,
  service: Service,
  how: string,
): Promise<void> {
  const sinceMs = nowMs();
  await stateIs(balancer, service, 'up');
  await load.more([service.port], 1);
  const tookMs = nowMs() - sinceMs;
  t.ok(tookMs <= RISE_MS + SLACK_MS, `${how}: up after ${Math.round(tookMs)} ms`);
  const [share = 0] = await load.shares([service.port], 150);
  t.ok(share > 0.5 / ports.length, `${how}: ${share} of the answers`);
  t.same(load.failures, [], `${how}: no request failed`);
}

for (const policy of ['p2c', 'least-latency'] as const) {
  t.test(`${policy}: no request fails that a retry could save, and load comes back`, async (t) => {
    const here = await bed(t, { policy });
    const { services, ports, balancer, load } = here;
    const [first, second, third] = services;
    const [one = 0, two = 0, three = 0] = ports;
    if (first === undefined || second === undefined || third === undefined) return;
    await first.kill();
    await stateIs(balancer, first, 'down');
    await load.more([two, three], 20);
    await first.start();
    await comesBack(t, here, first, 'after it was killed');
    second.signal('SIGSTOP');
    await stateIs(balancer, second, 'down');
    await load.more([one, three], 20);
    second.signal('SIGCONT');
    await comesBack(t, here, second, 'after it stood still');
    third.signal('SIGUSR2');
    await load.more([one, two], 50);
    third.signal('SIGUSR2');
    await load.more(ports, 20);
    await load.end();
    t.same(load.failures, [], 'one was ten times slower');
  });
}

/** What became of undici's BalancedPool (its issue 4839): one of them got everything for good. */
t.test('after an outage of both of two shares are even again within their rise', async (t) => {
  const services = await startServices(t, 2);
  const [first, second] = services;
  if (first === undefined || second === undefined) return;
  const ports = services.map(({ port }) => port);
  const backends = services.map(({ address }) => address);
  const runs = await Promise.all(
    POLICY_NAMES.filter((name) => name !== 'source-hash').map(async (policy) => {
      const outlier = { consecutiveFailures: 2, baseEjection: '10s' };
      const balancer = await createBalancer({ backends, health: HEALTH, outlier, policy });
      t.teardown(() => balancer.close());
      const load = new Load(balancer, 2);
      t.teardown(() => load.end());
      await load.more(ports, 5);
      return { policy, balancer, load };
    }),
  );
  await Promise.all(services.map((service) => service.kill()));
  for (const { balancer } of runs) {
    for (const service of services) await stateIs(balancer, service, 'down');
  }
  await first.start();
  for (const { load } of runs) await load.more([first.port], 5);
  await second.start();
  const sinceMs = nowMs();
  for (const { balancer } of runs) await stateIs(balancer, second, 'up');
  const tookMs = nowMs() - sinceMs;
  t.ok(tookMs <= RISE_MS + SLACK_MS, `up after ${Math.round(tookMs)} ms`);
  for (const { policy, load } of runs) {
    const failed = load.failures.length;
    const shares = await load.shares(ports, 150);
    t.ok(Math.min(...shares) > 0.35, `${policy}: ${shares}`);
    t.equal(load.failures.length, failed, `${policy}: no request failed`);
  }
});
