/** A balancer on a machine of its own: the test moves its time and sets the answers of probes. */
import type { Test } from 'tap';
import { type Random, seededRandom } from '../../src/core/random.js';
import type { Probe, ProbeResult } from '../../src/health/probe.js';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import type { BalancerEvents } from '../../src/library/events.js';
import type { Machine } from '../../src/library/machine.js';
import type { BalancerOptions } from '../../src/library/options.js';
import type { HostAnswer } from '../../src/names/host_lookup.js';
import { FakeTime } from '../support/fake_time.js';

const OK: ProbeResult = { ok: true, share: 1, note: '' };
const REFUSED: ProbeResult = { ok: false, failure: 'refused', detail: 'connection refused' };

export const A = '10.0.0.1:80';
export const B = '10.0.0.2:80';
export const C = '10.0.0.3:80';

const EVENTS = [
  'backend-up',
  'backend-down',
  'backend-standby',
  'backend-ejected',
  'backend-returned',
  'backend-added',
  'backend-removed',
  'backend-drained',
] as const satisfies readonly (keyof BalancerEvents)[];

export class Bed {
  readonly time = new FakeTime();
  readonly random: Random = seededRandom(7);
  /** What was reported: `backend-down 10.0.0.1:80`. */
  readonly told: string[] = [];
  /** By name: what a lookup answers. */
  readonly names = new Map<string, HostAnswer>();
  readonly #down = new Set<string>();

  get machine(): Machine {
    const probe: Probe = {
      attempt: async ({ endpoint }) => {
        const place = endpoint.kind === 'ip' ? `${endpoint.host}:${endpoint.port}` : endpoint.path;
        return this.#down.has(place) ? REFUSED : OK;
      },
    };
    return {
      clock: this.time,
      timers: this.time,
      waits: this.time,
      random: this.random,
      lookup: async (host) => this.names.get(host) ?? { kind: 'none', problem: 'no such name' },
      createProbe: () => probe,
    };
  }

  /** Without probes unless `options` say which. */
  async balancer(t: Test, options: BalancerOptions): Promise<Balancer> {
    const made = createBalancer({ health: { probe: 'none' }, ...options }, this.machine);
    await this.pass(100);
    const balancer = await made;
    t.teardown(() => balancer.close());
    for (const event of EVENTS) {
      balancer.on(event, ({ backend }: { readonly backend: string }) => {
        this.told.push(`${event} ${backend}`);
      });
    }
    return balancer;
  }

  /** What is under way goes as far as it can first. */
  async pass(ms: number): Promise<void> {
    await this.time.pass(0);
    await this.time.pass(ms);
  }

  down(...addresses: readonly string[]): void {
    for (const address of addresses) this.#down.add(address);
  }

  up(...addresses: readonly string[]): void {
    for (const address of addresses) this.#down.delete(address);
  }
}

/** By name, from a snapshot. */
export function activeOf(balancer: Balancer): Record<string, number> {
  return Object.fromEntries(balancer.snapshot().backends.map(({ name, active }) => [name, active]));
}

/** The error that `work` throws or rejects with. */
export async function errorOf(work: () => unknown): Promise<Record<string, unknown>> {
  try {
    await work();
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('nothing was thrown');
}
