/** Registries of the application that answer late, wrongly, twice, or not at all. */
import { EventEmitter } from 'node:events';
import t from 'tap';
import type { Instances } from '../../src/library/instances.js';
import type { Registry } from '../../src/library/registry_source.js';
import { A, activeOf, B, Bed, C } from './bed.js';

const RULES = { hold: 100, confirm: 100 };

/** Its questions wait until the test answers them. */
class Asked extends EventEmitter {
  readonly questions: ((all: Instances) => void)[] = [];

  getInstances(): Promise<Instances> {
    return new Promise((resolve) => this.questions.push(resolve));
  }
}

async function followed(t: Parameters<Bed['balancer']>[0], registry: Registry) {
  const bed = new Bed();
  const making = bed.balancer(t, { discovery: { registry, ...RULES } });
  await bed.pass(2_000);
  return { bed, balancer: await making };
}

t.test('one question at a time: what is reported last is what was asked for last', async (t) => {
  const registry = new Asked();
  const { bed, balancer } = await followed(t, registry);
  for (let news = 0; news < 5; news++) registry.emit('instances-changed');
  await bed.pass(1_000);
  t.equal(registry.questions.length, 1);
  registry.questions[0]?.([A]);
  await bed.pass(1_000);
  t.equal(registry.questions.length, 2, 'five news are one more question');
  registry.questions[1]?.([B]);
  await bed.pass(3_000);
  t.same(activeOf(balancer), { [B]: 0 });
  t.equal(registry.questions.length, 2);
});

t.test('a question without an answer is given up, and its late answer is none', async (t) => {
  const registry = new Asked();
  const { bed, balancer } = await followed(t, registry);
  await bed.pass(20_000);
  t.ok(registry.questions.length > 1, 'it was asked again');
  registry.questions.at(-1)?.([B]);
  await bed.pass(3_000);
  registry.questions[0]?.([A]);
  await bed.pass(3_000);
  t.same(activeOf(balancer), { [B]: 0 });
});

t.test('a registry that says at each question that it has changed starves no other', async (t) => {
  let questions = 0;
  const registry = Object.assign(new EventEmitter(), {
    getInstances(): Instances {
      if (questions++ < 10_000) registry.emit('instances-changed');
      return [A];
    },
  });
  const { bed, balancer } = await followed(t, registry);
  await bed.pass(3_000);
  t.same(activeOf(balancer), { [A]: 0 });
  t.ok(questions < 100, `${questions} questions`);
});

t.test('a registry that fails is tried again by itself', async (t) => {
  const failures = ['throws', 'rejects'] as const;
  for (const how of failures) {
    let tries = 0;
    const fail = (): Promise<never> | null => {
      if (++tries > 2) return null;
      if (how === 'rejects') return Promise.reject(new Error('not yet'));
      throw new Error('not yet');
    };
    const told: Registry = { subscribe: (tell) => fail() ?? tell([A]) };
    const asked = Object.assign(new EventEmitter(), { getInstances: () => fail() ?? [A] });
    for (const registry of [told, asked]) {
      tries = 0;
      const { bed, balancer } = await followed(t, registry);
      await bed.pass(5_000);
      t.same(activeOf(balancer), { [A]: 0 }, how);
    }
  }
});

t.test('reports of a registry before its failure count, and none after it', async (t) => {
  const tells: ((all: Instances) => void)[] = [];
  const signals: AbortSignal[] = [];
  const registry: Registry = {
    async subscribe(tell, { signal }) {
      tells.push(tell);
      signals.push(signal);
      tell([A]);
      if (tells.length === 1) throw new Error('the stream broke');
    },
  };
  const { bed, balancer } = await followed(t, registry);
  t.same(activeOf(balancer), { [A]: 0 });
  await bed.pass(5_000);
  t.same([tells.length, signals[0]?.aborted, signals[1]?.aborted], [2, true, false]);
  tells[1]?.([B]);
  tells[0]?.([C]);
  await bed.pass(3_000);
  t.same(activeOf(balancer), { [B]: 0 });
});

t.test('whatever an instance is, nothing is thrown at the registry', async (t) => {
  const told: { all: (all: Instances) => void } = { all: () => {} };
  const registry: Registry = {
    subscribe(tell) {
      told.all = tell;
      tell([A]);
    },
  };
  const { bed, balancer } = await followed(t, registry);
  const misfits = [null, 7, '', 'x y', true, [], {}, 1n, Number.NaN, -1, 1.5, 1e9, Symbol('s')];
  const hostile = {
    get address(): string {
      throw new Error('not today');
    },
  };
  const fields = ['address', 'host', 'port', 'name', 'weight', 'maxConnections', 'backup'];
  const instances: unknown[] = [...misfits, undefined, () => 1, hostile, Object.create(null)];
  for (const field of fields) {
    for (const misfit of misfits) {
      const place = field === 'host' || field === 'port' ? { host: '10.0.0.3', port: 80 } : {};
      instances.push({ ...(field in place ? place : { address: C }), [field]: misfit });
    }
  }
  for (const one of [...instances.map((one) => [A, one]), ...misfits, hostile]) {
    t.doesNotThrow(() => told.all(one as Instances));
    await bed.pass(250);
    const { backends } = balancer.snapshot();
    t.equal(backends[0]?.address, A);
    for (const { weight, maxConnections } of backends) {
      t.ok(Number.isInteger(weight) && weight >= 0 && weight <= 1_000);
      t.ok(Number.isInteger(maxConnections) && maxConnections >= 0);
    }
  }
});
