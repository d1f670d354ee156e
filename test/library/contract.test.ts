/**
 * What every policy promises (test/contract/policy.test.ts), through what an application calls:
 * `createBalancer` and `Picker`.
 */
import t, { type Test } from 'tap';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES, type PolicyName } from '../../src/core/spec.js';
import { type Algorithm, Picker } from '../../src/library/algorithms.js';
import type { Balancer } from '../../src/library/balancer.js';
import { NoBackendError } from '../../src/library/errors.js';
import type { PickedLease } from '../../src/library/lease.js';
import type { BackendOptions, BalancerOptions } from '../../src/library/options.js';
import { chiSquare, chiSquareLimit } from '../balance/situation.js';
import { seed } from '../support/seed.js';
import { activeOf, Bed } from './bed.js';

const MAX_BACKENDS = 6;
const MAX_CAP = 3;
const LIVES = 8;
const STEPS = 60;

for (const policy of POLICY_NAMES) {
  t.test(`${policy} in a balancer (SEED=${seed})`, async (t) => {
    t.test('whatever happens, a choice is eligible and every lease counts once', async (t) => {
      const random = seededRandom(seed);
      for (let life = 0; life < LIVES; life++) {
        const bed = new Bed();
        const balancer = await bed.balancer(t, { ...by(policy), backends: someBackends(random) });
        const problem = await new Life(bed, balancer, random).run();
        await balancer.close();
        if (problem !== null) return t.fail(`life ${life}: ${problem}`);
      }
      return t.pass(`${LIVES} lives of ${STEPS} steps`);
    });

    t.test('an update without a change changes no choice', async (t) => {
      const untouched = await history(t, policy, async () => {});
      t.same(await history(t, policy, async () => {}), untouched, 'the same seed');
      t.same(await history(t, policy, (balancer) => balancer.update()), untouched);
    });

    t.test('weight 0 is never chosen', async (t) => {
      const backends = [0, 3, 0].map((weight, index) => ({ address: addressOf(index), weight }));
      const balancer = await new Bed().balancer(t, { ...by(policy), backends });
      const turns = Array.from({ length: 100 }, (_, turn) => `client-${turn}`);
      t.same(new Set(turns.map((key) => balancer.pick({ key }).address)), new Set([addressOf(1)]));
    });

    t.test('among equals none is left out', async (t) => {
      const backends = [0, 1, 2].map(addressOf);
      const balancer = await new Bed().balancer(t, { ...by(policy), backends });
      const counts = new Map(backends.map((address) => [address, 0]));
      for (let turn = 0; turn < 3_000; turn++) {
        using lease = balancer.pick({ key: `client-${turn}` });
        counts.set(lease.address, (counts.get(lease.address) ?? 0) + 1);
      }
      const found = chiSquare([...counts.values()], [1, 1, 1]);
      t.ok(found < chiSquareLimit(2), `${[...counts.values()]} of 3000: ${found.toFixed(1)}`);
    });

    t.test('a pool of 1,000 backends is no problem', async (t) => {
      const backends = Array.from({ length: 1_000 }, (_, index) => addressOf(index));
      const balancer = await new Bed().balancer(t, { ...by(policy), backends });
      for (let turn = 0; turn < 1_000; turn++) balancer.pick({ key: `client-${turn}` });
      const active = Object.values(activeOf(balancer));
      t.equal(sum(active), 1_000);
    });
  });
}

for (const name of ['round-robin', 'source-hash'] as const) {
  t.test(`${name}: the explained choice is the one that is made`, async (t) => {
    const balancer = await new Bed().balancer(t, {
      ...by(name),
      backends: [0, 1, 2, 3].map((index) => ({ address: addressOf(index), weight: 1 + index })),
    });
    for (let turn = 0; turn < 40; turn++) {
      const key = `client-${turn}`;
      const { chosen } = balancer.explain({ key });
      t.equal(balancer.pick({ key }).name, chosen);
    }
  });
}

for (const algorithm of POLICY_NAMES.filter((name): name is Algorithm => name !== 'source-hash')) {
  t.test(`${algorithm} alone: whatever happens, a choice is allowed (SEED=${seed})`, async (t) => {
    const random = seededRandom(seed);
    let nowMs = 0;
    for (let life = 0; life < LIVES; life++) {
      let members = someMembers(random);
      const picker = new Picker(algorithm, members, { random, nowMs: () => nowMs });
      const held: (typeof members)[number][] = [];
      for (let step = 0; step < STEPS; step++) {
        nowMs += below(random, 200);
        if (below(random, 10) === 0) {
          members = someMembers(random);
          picker.update(members);
        }
        const done = below(random, 3) === 0 ? held.pop() : undefined;
        const result = below(random, 2) === 0 ? 'ok' : 'failed';
        if (done !== undefined) picker.done(done, { tookMs: below(random, 90), result });
        const except = members.filter(() => below(random, 3) === 0).map(({ name }) => name);
        const picked = picker.pick(except);
        const allowed = members.filter((one) => one.weight > 0 && !except.includes(one.name));
        if (picked !== null) held.push(picked);
        const isRight = picked === null ? allowed.length === 0 : allowed.includes(picked);
        if (!isRight) t.fail(`life ${life}, step ${step}: ${picked?.name}, except ${except}`);
      }
      for (const member of held) picker.done(member);
      t.ok(held.every((member) => picker.activeOf(member) === 0));
    }
  });
}

/** A balancer in use, beside what its user knows of it. */
class Life {
  readonly #bed: Bed;
  readonly #balancer: Balancer;
  readonly #random: Random;
  #held: PickedLease[] = [];

  constructor(bed: Bed, balancer: Balancer, random: Random) {
    this.#bed = bed;
    this.#balancer = balancer;
    this.#random = random;
  }

  /** null, or what was broken. */
  async run(): Promise<string | null> {
    for (let step = 0; step < STEPS; step++) {
      const problem = (await this.#step()) ?? this.#miscounts();
      if (problem !== null) return `step ${step}: ${problem}`;
    }
    for (const lease of this.#held) lease.succeeded();
    this.#held = [];
    return this.#miscounts();
  }

  async #step(): Promise<string | null> {
    const random = this.#random;
    switch (below(random, 8)) {
      case 0:
        await this.#balancer.update({ backends: someBackends(random) });
        return null;
      case 1: {
        const { backends } = this.#balancer.snapshot();
        const one = backends[below(random, backends.length)];
        if (one === undefined || one.state === 'leaving') return null;
        if (one.state === 'drained') this.#balancer.ready(one.name);
        else void this.#balancer.drain(one.name);
        return null;
      }
      case 2:
        await this.#bed.pass(below(random, 500));
        return null;
      case 3:
      case 4:
        return this.#settle();
      default:
        return this.#pick();
    }
  }

  #settle(): null {
    const [lease] = this.#held.splice(below(this.#random, this.#held.length || 1), 1);
    const how = below(this.#random, 3);
    if (how === 0) lease?.failed();
    else if (how === 1) lease?.[Symbol.dispose]();
    else lease?.succeeded(below(this.#random, 50));
    return null;
  }

  #pick(): string | null {
    const { backends } = this.#balancer.explain();
    const eligible = backends.filter((one) => one.eligible).map(({ backend }) => backend);
    const drained = this.#balancer.snapshot().backends.filter(({ state }) => state === 'drained');
    const wrong = drained.find(({ name }) => eligible.includes(name));
    if (wrong !== undefined) return `${wrong.name} is drained, and eligible`;
    try {
      const lease = this.#balancer.pick({ key: `client-${below(this.#random, 100)}` });
      this.#held.push(lease);
      return eligible.includes(lease.name) ? null : `${lease.name} was not eligible`;
    } catch (error) {
      if (!(error instanceof NoBackendError)) throw error;
      return eligible.length === 0 ? null : `${error.message}, and ${eligible} could serve`;
    }
  }

  #miscounts(): string | null {
    const { backends } = this.#balancer.snapshot();
    for (const { name, address, active, maxConnections } of backends) {
      const held = this.#held.filter((one) => one.name === name && one.address === address);
      if (active !== held.length) return `${name}: ${active} active, ${held.length} held`;
      // A cap that was lowered ends no lease.
      if (active > MAX_CAP) return `${name}: ${active} of ${maxConnections}`;
    }
    const shown = sum(backends.map(({ active }) => active));
    return shown === this.#held.length ? null : `${shown} active, ${this.#held.length} held`;
  }
}

/** A small table keeps tests of the hash quick. */
function by(policy: PolicyName): Pick<BalancerOptions, 'policy' | 'hash'> {
  return policy === 'source-hash' ? { policy, hash: { tableSize: 1021 } } : { policy };
}

/** 60 choices among unequal backends, some of them held. */
async function history(
  t: Test,
  policy: PolicyName,
  between: (balancer: Balancer) => Promise<void>,
): Promise<readonly string[]> {
  const backends = [1, 2, 3, 1].map((weight, index) => ({ address: addressOf(index), weight }));
  const balancer = await new Bed().balancer(t, { ...by(policy), backends });
  const chosen: string[] = [];
  for (let turn = 0; turn < 60; turn++) {
    if (turn % 10 === 0) await between(balancer);
    const lease = balancer.pick({ key: `client-${turn}` });
    chosen.push(lease.address);
    if (turn % 3 !== 0) lease.succeeded(turn);
  }
  await balancer.close();
  return chosen;
}

function someBackends(random: Random): BackendOptions[] {
  const indices = Array.from({ length: MAX_BACKENDS }, (_, index) => index);
  const chosen = indices.filter(() => below(random, 3) > 0);
  return (chosen.length === 0 ? [0] : chosen).map((index, place) => ({
    address: addressOf(index),
    weight: place === 0 ? 1 : below(random, 4),
    maxConnections: 1 + below(random, MAX_CAP),
  }));
}

function someMembers(random: Random) {
  return someBackends(random).map(({ address, weight = 1 }) => ({ name: address, weight }));
}

function addressOf(index: number): string {
  return `10.0.${index >>> 8}.${1 + ((index & 0xff) % 250)}:${80 + Math.floor((index & 0xff) / 250)}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
