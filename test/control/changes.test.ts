/** Any two valid files in a row: rows are found or refused, never asserted. Seeded. */
import t from 'tap';
import { ChangeQueue, OVERRULED } from '../../src/control/change_queue.js';
import { Inventory } from '../../src/control/inventory.js';
import { Room } from '../../src/control/room.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS } from '../../src/core/limits.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { err, ok } from '../../src/core/result.js';
import type { Spec } from '../../src/core/spec.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { seed } from '../support/seed.js';
import { backendSpec, listenerSpec, poolSpec, resolved, spec, tallies } from './fixtures.js';

const WORKER = 0 as WorkerId;
const STEPS = 40;

t.test(`random files in a row find their rows or are refused (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const ledger = new Ledger(createLedgerMemory());
  const reset = {
    backend: (id: BackendId) => ledger.resetBackend(id),
    listener: (id: ListenerId) => ledger.resetListener(id),
  };
  const inventory = new Inventory(reset, tallies());
  const held: BackendId[] = [];
  const outcomes = { taken: 0, refused: 0 };
  const publish = async (): Promise<void> => {
    // What workers do between a plan and its acknowledgement: sessions come to the backends that
    // may serve.
    for (const entry of inventory.backends()) {
      if (inventory.yielding.has(entry) || entry.tenure === 'leaving') continue;
      if (below(random, 40) === 0 && ledger.tryTake(entry.id, WORKER)) held.push(entry.id);
    }
  };
  const room = new Room({
    inventory,
    ledger,
    changes: new ChangeQueue(),
    publish,
    tidy: async () => {
      const idle = [...inventory.backends()].filter(
        ({ id, tenure }) => tenure === 'leaving' && ledger.active(id) === 0,
      );
      for (const entry of idle) inventory.releaseBackend(entry);
      const left = [...inventory.listeners.values()].filter(({ tenure }) => tenure === 'leaving');
      inventory.releaseListeners(left);
      await publish();
      inventory.releasePools();
    },
  });
  for (let step = 0; step < STEPS; step++) {
    const target = { spec: validSpec(random), resolve: resolved };
    const before = namesOf(inventory);
    const made = await room.make(target);
    if (made.ok) {
      inventory.apply(target.spec, target.resolve);
      outcomes.taken++;
      await publish();
    } else {
      outcomes.refused++;
      t.match(made.error.join(' '), /no room for the new .*\d+.* restart/);
      t.same(namesOf(inventory), before, 'what is in the file stays');
      t.equal(inventory.yielding.size, 0);
    }
    const ids = [...inventory.backends()].map(({ id }) => id);
    t.equal(new Set(ids).size, ids.length, 'no row has two owners');
    t.ok(Math.max(...ids) < MAX_BACKENDS);
    const owners = new Set(ids);
    t.notOk(
      held.some((id) => !owners.has(id)),
      'a row on which a session counts keeps its owner',
    );
    for (const id of held.splice(0, below(random, held.length + 1))) ledger.giveBack(id, WORKER);
  }
  t.ok(outcomes.taken > 0, `${outcomes.taken} taken, ${outcomes.refused} refused`);
});

t.test('changes run one at a time, and what one throws is its refusal', async (t) => {
  const queue = new ChangeQueue();
  const order: string[] = [];
  const first = queue.run(async () => {
    order.push('first');
    await null;
    throw new Error('broken');
  });
  const second = queue.run(async () => {
    order.push('second');
    return ok(null);
  });
  t.same(await first, err(['broken']));
  t.same(await second, ok(null));
  t.same(order, ['first', 'second']);
});

t.test('a stop outranks: what waits never begins, and no wait outlasts it', async (t) => {
  const queue = new ChangeQueue();
  const order: string[] = [];
  let begin = (): void => {};
  const began = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const underWay = queue.run(async () => {
    order.push('under way');
    begin();
    await queue.unlessOverruled(new Promise(() => {}));
    return queue.overruled ? err(OVERRULED) : ok(null);
  });
  const waiting = queue.run(async () => {
    order.push('waiting');
    return ok(null);
  });
  await began;
  let sessionsEnd = (): void => {};
  const ended = new Promise<void>((resolve) => {
    sessionsEnd = resolve;
  });
  const stopped = queue.stop(async () => {
    order.push('stop');
    await ended;
  });
  const late = queue.run(async () => {
    order.push('late');
    return ok(null);
  });
  for (const change of [underWay, waiting, late]) t.same(await change, err(OVERRULED));
  // They were refused while the stop still waits for its sessions.
  sessionsEnd();
  await stopped;
  t.same(order, ['under way', 'stop']);
});

/** A file that `sluice check` calls good as far as numbers go, often near the ceilings. */
function validSpec(random: Random): Spec {
  const pools = 1 + below(random, below(random, 4) === 0 ? MAX_POOLS : 6);
  const each = 1 + below(random, Math.floor(MAX_BACKENDS / pools));
  const net = below(random, 4);
  const all = Array.from({ length: pools }, (_, pool) =>
    poolSpec(`p${pool}`, {
      backends: Array.from({ length: each }, (_, index) => backendSpec(`b${net}x${index}`)),
    }),
  );
  const prefix = below(random, 3);
  const listeners = Array.from({ length: 1 + below(random, MAX_LISTENERS) }, (_, index) =>
    listenerSpec(`l${prefix}-${index}`, `p${below(random, pools)}`),
  );
  return spec(all, listeners);
}

function namesOf(inventory: Inventory): string[] {
  return [...inventory.backends()]
    .filter(({ tenure }) => tenure === 'kept')
    .map(({ pool, key }) => `${pool.key}/${key}`);
}
