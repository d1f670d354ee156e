/**
 * A defect that shows in one session's edge ends that session: wherever it shows, the others go
 * on, and nothing is left behind.
 */
import t, { type Test } from 'tap';
import { SharedInvariantError } from '../../../src/core/assert.js';
import type { PairId, PoolId } from '../../../src/core/brand.js';
import type { FakeTcpEngine } from '../../support/fake_tcp_engine.js';
import { policyNamed } from '../../support/policies.js';
import { type Bed, type BedOptions, backendId, bed, LISTENER, NOTHING, target } from './bed.js';

const HEADER = Buffer.from('PROXY TCP4 203.0.113.7 203.0.113.1 1234 5432\r\n');
const POSTGRES = { postgres: { cancel: 'route', strict: true } } as const;
const START = Buffer.from('00000013000300007573657200706700', 'hex');
/** A key. */
const KEY = Buffer.from('K\0\0\0\x0cabcd1234', 'latin1');
const PROXIED = { trustedProxies: [{ family: 4, host: '198.51.100.0', prefixBits: 24 }] } as const;

/** What the session asks of an engine about one pair. */
const CALLS = [
  'client',
  'local',
  'readEarly',
  'earlyDone',
  'dial',
  'cancelDial',
  'overhear',
  'overhearDone',
  'relay',
] as const satisfies readonly (keyof FakeTcpEngine)[];
type Call = (typeof CALLS)[number];

interface Scene {
  readonly name: string;
  readonly options: BedOptions;
  /** Leads `pair`, which was accepted, through its life. */
  readonly life: (test: Bed, pair: PairId) => Promise<void>;
}

/** Steps that a broken session is past already are left out. */
const step = (test: Bed, pair: PairId, states: RegExp, act: () => void): void => {
  if (states.test(test.state(pair) ?? '')) act();
  test.turn();
};

function relayAndEnd(test: Bed, pair: PairId): void {
  const { tcp } = test.worker(0);
  step(test, pair, /^dialling/, () => tcp.dialSucceeds(pair));
  step(test, pair, /^relaying/, () => tcp.moves(pair, 'out', 5));
  step(test, pair, /^relay/, () => tcp.ends(pair, { kind: 'finished', first: 'client' }));
}

const SCENES: readonly Scene[] = [
  { name: 'relay', options: {}, life: async (test, pair) => relayAndEnd(test, pair) },
  {
    name: 'a hash policy',
    options: { pool: { policy: policyNamed('source-hash', { balanceFactor: 0 }) } },
    life: async (test, pair) => relayAndEnd(test, pair),
  },
  {
    name: 'a PROXY header both ways',
    options: { listener: PROXIED, pool: { sendProxyProtocol: 'v2' } },
    life: async (test, pair) => {
      step(test, pair, /^early/, () => test.worker(0).tcp.clientSends(pair, HEADER));
      relayAndEnd(test, pair);
    },
  },
  {
    name: 'a Postgres session',
    options: { listener: POSTGRES },
    life: async (test, pair) => {
      const { tcp } = test.worker(0);
      step(test, pair, /^early/, () => tcp.clientSends(pair, START));
      step(test, pair, /^dialling/, () => tcp.dialSucceeds(pair));
      step(test, pair, /^relaying/, () => tcp.backendSays(pair, KEY));
      step(test, pair, /^relay/, () => tcp.ends(pair, { kind: 'finished', first: 'client' }));
    },
  },
  {
    name: 'a failed dial',
    options: {},
    life: async (test, pair) => {
      step(test, pair, /^dialling/, () => test.worker(0).tcp.dialFails(pair, 'refused'));
      relayAndEnd(test, pair);
    },
  },
  {
    name: 'a dial that takes too long',
    options: { pool: { connectTimeoutMs: 100 } },
    life: async (test, pair) => {
      await test.pass(150);
      relayAndEnd(test, pair);
    },
  },
  {
    name: 'an idle relay',
    options: { listener: { idleTimeoutMs: 200 } },
    life: async (test, pair) => {
      step(test, pair, /^dialling/, () => test.worker(0).tcp.dialSucceeds(pair));
      await test.pass(400);
    },
  },
];

/** Calls that were really broken. */
const reached = new Set<Call>();

for (const scene of SCENES) {
  for (const call of CALLS) {
    t.test(`${scene.name}, ${call} breaks: one session ends, the next one is served`, (t) =>
      contained(t, scene, call),
    );
  }
}

async function contained(t: Test, scene: Scene, call: Call): Promise<void> {
  const defects: unknown[] = [];
  const test = await bed({ ...scene.options, internalError: (error) => defects.push(error) });
  let broke = 0;
  const victim = 0 as PairId;
  breakCall(test.worker(0).tcp, call, victim, () => {
    broke++;
    reached.add(call);
  });
  const first = test.accept();
  t.equal(first, victim);
  await scene.life(test, first);
  await test.pass(100);
  t.equal(defects.length, broke, 'each defect is reported');
  const before = test.records.length;
  test.worker(0).tcp[call] = Object.getPrototypeOf(test.worker(0).tcp)[call];
  await scene.life(test, test.accept());
  t.equal(test.records.length, before + 1, 'the next session has its whole life');
  t.not(test.causes.at(-1), 'internal-error');
  t.equal(defects.length, broke);
  t.same(test.remains(), NOTHING);
}

/** From now on `call` throws for `victim`. */
function breakCall(engine: FakeTcpEngine, call: Call, victim: PairId, broken: () => void): void {
  const whole = (engine[call] as (pair: PairId, ...rest: unknown[]) => unknown).bind(engine);
  Object.assign(engine, {
    [call]: (pair: PairId, ...rest: unknown[]): unknown => {
      if (pair !== victim) return whole(pair, ...rest);
      broken();
      throw new Error(`${call} is broken`);
    },
  });
}

t.test('the scenes above reach each call', async (t) => {
  t.same([...reached].toSorted(), [...CALLS].toSorted());
});

t.test('a waiter whose turn breaks leaves the queue, and the next one is served', async (t) => {
  const defects: unknown[] = [];
  const test = await bed({
    backends: 1,
    pool: { queueSize: 5 },
    internalError: (error) => defects.push(error),
  });
  const { tcp } = test.worker(0);
  test.ledger.setCap(backendId(0), 1);
  const [holder, victim, next] = [test.relay(), test.accept(), test.accept()];
  breakCall(tcp, 'dial', victim, () => {});
  tcp.ends(holder, { kind: 'finished', first: 'client' });
  test.turn();
  t.equal(defects.length, 1);
  t.equal(test.state(victim), null);
  t.match(test.state(next), /^dialling/);
  tcp.dialSucceeds(next);
  tcp.ends(next, { kind: 'finished', first: 'client' });
  test.turn();
  t.same(test.causes, ['finished', 'internal-error', 'finished']);
  t.same(test.remains(), NOTHING);
});

for (const what of ['evidence', 'the account', 'both'] as const) {
  t.test(`whatever breaks at the end (${what}), all is given back`, async (t) => {
    const defects: unknown[] = [];
    const test = await bed({
      backends: 1,
      pool: { queueSize: 5 },
      internalError: (error) => defects.push(error),
    });
    const { tcp } = test.worker(0);
    test.ledger.setCap(backendId(0), 1);
    const [victim, next] = [test.relay(), test.accept()];
    if (what !== 'evidence') breakCall(tcp, 'client', victim, () => {});
    const { ejections } = test.ledger;
    const { fail } = ejections;
    if (what !== 'the account') {
      ejections.fail = () => {
        throw new Error('the evidence is broken');
      };
    }
    tcp.ends(victim, { kind: 'reset', by: 'backend' });
    test.turn();
    ejections.fail = fail;
    t.equal(defects.length, 1);
    t.match(test.state(next), /^dialling/, 'its place at the backend');
    t.equal(test.ledger.listenerActive(LISTENER), 1, 'its place at the listener');
    t.equal(test.ledger.descriptors.used, 2);
    tcp.dialSucceeds(next);
    tcp.ends(next, { kind: 'finished', first: 'client' });
    test.turn();
    t.same(test.remains(), NOTHING);
    t.equal(test.ledger.descriptors.used, 0);
  });
}

t.test('a waiter that breaks when its listener leads elsewhere takes no other along', async (t) => {
  const defects: unknown[] = [];
  const test = await bed({
    pool: { queueSize: 5 },
    internalError: (error) => defects.push(error),
  });
  const { tcp } = test.worker(0);
  const [a = [], b = []] = test.pool({}).backends.map((backend) => [backend]);
  await test.apply({ pools: [test.pool({ backends: a })] });
  test.ledger.setCap(backendId(0), 1);
  const [, victim, next] = [test.relay(), test.accept(), test.accept()];
  breakCall(tcp, 'dial', victim, () => {});
  const other = { ...test.pool({ backends: b }), id: 1 as PoolId, name: 'other' };
  await test.apply({
    pools: [test.pool({}), other],
    listeners: [test.listener({ pool: other.id })],
  });
  t.equal(defects.length, 1);
  t.equal(test.state(victim), null);
  t.equal(test.state(next), `dialling ${target(1)}`);
});

t.test('an invariant of what sessions share passes every wall', async (t) => {
  const test = await bed({ internalError: () => t.fail('it was contained') });
  const { tcp } = test.worker(0);
  Object.assign(tcp, {
    dial: () => {
      throw new SharedInvariantError('the ledger is in doubt');
    },
  });
  t.throws(() => test.accept(), { message: 'the ledger is in doubt' });
});

t.test('a pair that cannot be ended is no session’s matter any more', async (t) => {
  const defects: unknown[] = [];
  const test = await bed({ internalError: (error) => defects.push(error) });
  const broken = (): never => {
    throw new Error('broken');
  };
  Object.assign(test.worker(0).tcp, { dial: broken, close: broken });
  let thrown: unknown = null;
  try {
    test.accept();
  } catch (error) {
    thrown = error;
  }
  t.ok(thrown instanceof SharedInvariantError, 'it ends the thread');
  t.equal(defects.length, 1);
});
