import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { WaitQueue } from '../../src/pool/wait_queue.js';
import { seed } from '../support/seed.js';

const POOL = 0 as PoolId;

function queues(count: number): WaitQueue<number>[] {
  const ledger = new Ledger(createLedgerMemory());
  return Array.from(
    { length: count },
    (_, worker) => new WaitQueue<number>(ledger, POOL, worker as WorkerId, count),
  );
}

t.test('an empty queue is not busy and has no turn', async (t) => {
  const [queue, other] = queues(2);
  t.notOk(queue?.isAhead(null));
  t.same(queue?.turn(), { kind: 'none' });
  queue?.join(1, 5, null);
  t.ok(other?.isAhead(null), 'a waiter in one worker is seen in the other');
  t.same(queue?.turn(), { kind: 'mine', waiter: 1 });
  t.same(other?.turn(), { kind: 'other', worker: 0 });
});

t.test('a waiter that leaves from the middle changes no other’s order', async (t) => {
  const [queue] = queues(1);
  const tickets = [1, 2, 3].map((waiter) => queue?.join(waiter, 5, null) ?? 0);
  queue?.leave(tickets[1] ?? 0);
  t.same(queue?.waiters, [1, 3]);
  queue?.leave(tickets[0] ?? 0);
  t.same(queue?.turn(), { kind: 'mine', waiter: 3 });
  t.throws(() => queue?.leave(tickets[0] ?? 0), { message: /not in/ });
});

t.test('the first of a lane stands aside for all that have tried the same', async (t) => {
  const [queue, other] = queues(2);
  const [a, b] = [0 as BackendId, 1 as BackendId];
  const [first = 0] = [queue?.join(1, 9, [a, b])];
  queue?.join(2, 9, [b, a]);
  queue?.join(3, 9, null);
  other?.join(4, 9, [a, b]);
  const woken: WorkerId[] = [];
  other?.wakeAside((worker) => woken.push(worker));
  t.same(woken, []);
  queue?.stepAside(first);
  t.same(queue?.turn(), { kind: 'mine', waiter: 3 }, 'the second has tried the same');
  other?.wakeAside((worker) => woken.push(worker));
  t.same(woken, [0]);
  queue?.leave(3);
  t.same(queue?.turn(), { kind: 'other', worker: 1 }, 'each worker asks for its own lanes');
  other?.stepAside(4);
  t.same(queue?.turn(), { kind: 'none' });
  t.notOk(queue?.isAhead(null), 'a waiter that has tried no backend overtakes them');
  t.ok(queue?.isAhead([a, b]), 'one that has tried as much does not');
  queue?.lineUp();
  t.same(other?.turn(), { kind: 'other', worker: 0 });
  t.same(queue?.turn(), { kind: 'mine', waiter: 1 }, 'each at its age');
});

t.test('the size counts over all workers', async (t) => {
  const [first, second] = queues(2);
  t.ok(first?.join(1, 2, null));
  t.ok(second?.join(2, 2, null));
  t.equal(first?.join(3, 2, null), 0);
  t.equal(second?.join(3, 2, null), 0);
  t.same([first?.length, second?.length], [1, 1]);
});

t.test(
  `first come, first served over three workers, whichever give up (seed ${seed})`,
  async (t) => {
    const random = seededRandom(seed);
    const workers = queues(3);
    const expected: { waiter: number; ticket: number; worker: number }[] = [];
    const take = (at: number): void => {
      const [gone] = expected.splice(at, 1);
      if (gone !== undefined) workers[gone.worker]?.leave(gone.ticket);
    };
    for (let step = 0; step < 1500; step++) {
      const first = expected[0];
      for (const [index, queue] of workers.entries()) {
        const turn = queue.turn();
        if (first === undefined) t.equal(turn.kind, 'none');
        else if (first.worker !== index) t.same(turn, { kind: 'other', worker: first.worker });
        else t.same(turn, { kind: 'mine', waiter: first.waiter });
      }
      const what = below(random, 10);
      if (what < 5) {
        const worker = below(random, workers.length);
        const ticket = workers[worker]?.join(step, 20, null) ?? 0;
        t.equal(ticket === 0, expected.length === 20);
        if (ticket !== 0) expected.push({ waiter: step, ticket, worker });
      } else take(what < 8 ? 0 : below(random, Math.max(1, expected.length)));
    }
    while (expected.length > 0) take(0);
    t.notOk(workers[0]?.isAhead(null));
  },
);
