import t from 'tap';
import type { WorkerId } from '../../src/core/brand.js';
import { SessionIds } from '../../src/core/session_ids.js';

const worker = (number: number): WorkerId => number as WorkerId;

t.test('no two sessions of a worker, or of two workers, have one name', async (t) => {
  const ids = [new SessionIds(worker(0), 1e12), new SessionIds(worker(1), 1e12)];
  const names = ids.flatMap((each) => Array.from({ length: 1000 }, () => each.text(each.next())));
  t.equal(new Set(names).size, 2000);
});

t.test('a thread in the place of another one names no session again', async (t) => {
  const before = new SessionIds(worker(0), 1_795_000_000_000);
  // A million sessions in a second are more than a worker can have.
  const last = Array.from({ length: 1_000_000 }, () => before.next()).at(-1) ?? 0;
  const after = new SessionIds(worker(0), 1_795_000_001_000);
  const numberOf = (text: string): number => Number.parseInt(text.slice(2), 36);
  t.ok(numberOf(after.text(after.next())) > numberOf(before.text(last)));
});

t.test('a name is a dozen letters', async (t) => {
  const ids = new SessionIds(worker(3), 1_795_000_000_000);
  t.match(ids.text(ids.next()), /^3-[0-9a-z]{10}$/);
});
