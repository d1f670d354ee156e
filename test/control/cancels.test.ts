/** Cancels that meet backends which never answer: others' cancels go on. */
import t from 'tap';
import { Cancels } from '../../src/control/cancels.js';
import type { ToWorker } from '../../src/control/worker_protocol.js';
import { present } from '../../src/core/assert.js';
import type { ListenerId, PairId, WorkerId } from '../../src/core/brand.js';
import type { Endpoint } from '../../src/core/endpoint.js';
import { seededRandom } from '../../src/core/random.js';
import { EVERY_SESSION } from '../../src/core/routes.js';
import type { Wire } from '../../src/core/wire.js';
import { createKeyMemory, KeyTable } from '../../src/pool/key_table.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import type { CancelOrder, CancelOutcome } from '../../src/session/tcp/deps.js';
import { keyOfHost } from '../support/client_key.js';
import { FakeTime } from '../support/fake_time.js';
import { backendSpec, inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

const WIRES = 30;
const KEY = Buffer.from('12345678');

/** Connects, and closes when it has been sent something; to `isDead` it connects for ever. */
class FakeWire implements Wire {
  readonly error = null;
  connected = false;
  readonly sent = true;
  ended = false;
  closed = false;
  readonly #changed: () => void;

  constructor(changed: () => void, isDead: boolean) {
    this.#changed = changed;
    if (isDead) return;
    this.#soon(() => {
      this.connected = true;
    });
  }

  read(): null {
    return null;
  }

  write(): void {
    this.#soon(() => {
      this.ended = true;
    });
  }

  end(): void {}

  isToItself(): boolean {
    return false;
  }

  reset(): void {
    this.destroy();
  }

  destroy(): void {
    this.closed = true;
    queueMicrotask(this.#changed);
  }

  #soon(change: () => void): void {
    queueMicrotask(() => {
      change();
      this.#changed();
    });
  }
}

/** Pools `alive`, `dead` and `half`, each with a listener; backends at 10.0.0.9 do not answer. */
function bench() {
  const time = new FakeTime();
  const all = inventory();
  const members = { alive: ['b1'], dead: ['b9'], half: ['b1', 'b9'] };
  all.apply(
    spec(
      Object.entries(members).map(([name, backends]) =>
        poolSpec(name, { backends: backends.map((one) => backendSpec(one)) }),
      ),
      [
        ...Object.keys(members).map((name) => listenerSpec(name, name)),
        listenerSpec('routed', 'alive', { routes: [{ conditions: EVERY_SESSION, pool: 'half' }] }),
      ],
    ),
    resolved,
  );
  const wires: FakeWire[] = [];
  let mostOpen = 0;
  const dial = (endpoint: Endpoint, _: unknown, changed: () => void): Wire => {
    const wire = new FakeWire(changed, endpoint.kind === 'ip' && endpoint.host === '10.0.0.9');
    wires.push(wire);
    mostOpen = Math.max(mostOpen, wires.filter(({ closed }) => !closed).length);
    return wire;
  };
  const outcomes = new Map<number, CancelOutcome>();
  const keys = new KeyTable(createKeyMemory(2, seededRandom(1), 1));
  const deps = {
    keys,
    clock: time,
    timers: time,
    inventory: all,
    ledger: new Ledger(createLedgerMemory()),
    budget: { cancels: WIRES },
    sourceFor: () => null,
    send: (_: WorkerId, message: ToWorker) => {
      if (message.kind === 'cancelled') outcomes.set(message.number, message.outcome);
    },
  };
  const cancels = new Cancels(deps, dial);
  let orders = 0;
  type Listener = keyof typeof members | 'routed';
  const listenerId = (of: Listener): ListenerId => {
    const entry = [...all.listeners.values()].find(({ spec: { name } }) => name === of);
    return present(entry, 'the listener').id;
  };
  /** `backend` of `pool` gives out the key of each cancel, to a session of `listener`. */
  const giveKey = (listener: Listener, pool: string, backend: string, worker = 1): number => {
    const entry = [...all.backends()].find(
      (one) => one.pool.key === pool && one.spec.name === backend,
    );
    const { id } = present(entry, 'the backend');
    return keys.note(listenerId(listener), KEY, id, worker as WorkerId);
  };
  /** From a client of its own, unless said. */
  const ask = (pool: Listener, client = `10.1.${orders >> 8}.${orders & 255}`): number => {
    const number = ++orders;
    const order: CancelOrder = {
      pair: 1 as PairId,
      number,
      listener: listenerId(pool),
      client: keyOfHost(client),
      header: { transport: 'stream', source: null, destination: null, tlvs: [] },
      request: Buffer.concat([Buffer.alloc(8), KEY]),
    };
    cancels.take(0 as WorkerId, order);
    return number;
  };
  const open = (): number => wires.filter(({ closed }) => !closed).length;
  const told = (): number => wires.filter(({ ended }) => ended).length;
  const count = (): number => wires.length;
  return { time, ask, outcomes, open, told, most: () => mostOpen, count, keys, giveKey, all };
}

t.test('a cancel is sent to every pool that its listener may lead to', async (t) => {
  const { time, ask, outcomes, told, open } = bench();
  const number = ask('routed');
  await time.pass(10);
  t.equal(told(), 2, 'b1 of each');
  t.equal(open(), 1, 'b9 is waited for');
  await time.pass(3_000);
  t.equal(outcomes.get(number), 'handed on');
  t.equal(open(), 0);
});

t.test('a cancel is sent to the backend alone that has given out its key', async (t) => {
  const { time, ask, outcomes, told, count, keys, giveKey, all } = bench();
  const slot = giveKey('routed', 'half', 'b1');
  const number = ask('routed');
  await time.pass(10);
  t.same([told(), count()], [1, 1], 'and at once');
  t.equal(outcomes.get(number), 'handed on');

  ask('half');
  await time.pass(10);
  t.equal(count(), 3, 'a key of another listener is none of its own');

  // Its listener leads there no longer, and its pool is on its way out.
  const alive = poolSpec('alive', { backends: [backendSpec('b1')] });
  all.apply(spec([alive], [listenerSpec('routed', 'alive')]), resolved);
  ask('routed');
  await time.pass(10);
  t.equal(count(), 4);
  keys.forget(slot);
  ask('routed');
  await time.pass(10);
  t.equal(count(), 5, 'no backend has it: it goes to all that may have the session');
  await time.pass(3_000);
});

t.test('where two backends have given out one key, both get it', async (t) => {
  const { time, ask, count, giveKey } = bench();
  giveKey('half', 'half', 'b1', 0);
  giveKey('half', 'half', 'b9', 1);
  giveKey('half', 'half', 'b9', 1);
  ask('half');
  await time.pass(10);
  t.equal(count(), 2);
  await time.pass(3_000);
});

t.test('cancels for a pool that does not answer hold up none of another pool', async (t) => {
  const { time, ask, outcomes, open, most } = bench();
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 500; i++) ask('dead');
    const alive = Array.from({ length: 5 }, () => ask('alive'));
    await time.pass(1_000);
    t.same(new Set(alive.map((number) => outcomes.get(number))), new Set(['handed on']));
  }
  t.ok(most() <= WIRES, `${most()} connections at most`);
  await time.pass(5_000);
  t.equal(open(), 0, 'nothing stays open');
  t.equal(time.pending, 0, 'nothing is waited for');
  t.equal(outcomes.size, 20 * 505, 'each is answered');
});

t.test('a backend that does not answer holds up none of its pool', async (t) => {
  const { time, ask, told } = bench();
  for (let second = 1; second <= 20; second++) {
    for (let i = 0; i < 20; i++) ask('half');
    await time.pass(1_000);
    t.equal(told(), 20 * second, 'the other one gets it at once');
  }
});

t.test('an order that has waited for too long is not handed on any more', async (t) => {
  const { time, ask, outcomes, open } = bench();
  const numbers = Array.from({ length: 100 }, () => ask('dead'));
  await time.pass(5_000);
  t.equal(outcomes.size, 100, 'all are answered before the worker gives up');
  const handedOn = numbers.filter((number) => outcomes.get(number) === 'handed on').length;
  t.equal(handedOn, (2 * WIRES) / 3, 'two turns of a third of all');
  t.equal(open(), 0);
  t.equal(time.pending, 0);
});

t.test('a client that cancels too much at one listener may cancel at another', async (t) => {
  const { time, ask, outcomes } = bench();
  const many = Array.from({ length: 100 }, () => ask('dead', '10.9.9.9'));
  const other = ask('alive', '10.9.9.9');
  await time.pass(0);
  t.equal(many.filter((number) => outcomes.get(number) === 'too many').length, 80);
  t.equal(outcomes.get(other), 'handed on');
});
