import t from 'tap';
import { SharedInvariantError } from '../../src/core/assert.js';
import type { WorkerId } from '../../src/core/brand.js';
import { DESCRIPTOR_CELLS, DescriptorLedger } from '../../src/pool/descriptor_ledger.js';

const A = 0 as WorkerId;
const B = 63 as WorkerId;

function ledger(allowed: number): DescriptorLedger {
  const memory = new SharedArrayBuffer(DESCRIPTOR_CELLS * Int32Array.BYTES_PER_ELEMENT);
  const made = new DescriptorLedger(new Int32Array(memory));
  made.allow(allowed);
  return made;
}

t.test('all of what is asked for is taken, or nothing', async (t) => {
  const descriptors = ledger(3);
  t.equal(descriptors.tryTake(2, A), true);
  t.equal(descriptors.tryTake(2, B), false);
  t.equal(descriptors.tryTake(1, B), true);
  t.same([descriptors.used, descriptors.free], [3, 0]);
  descriptors.giveBack(2, A);
  descriptors.giveBack(1, B);
  t.equal(descriptors.used, 0);
  t.throws(() => descriptors.giveBack(1, A), { message: /more descriptors/ });
});

t.test('a thread that gives back more than it has ends before any count has moved', async (t) => {
  const descriptors = ledger(3);
  descriptors.tryTake(2, B);
  t.ok(thrownBy(() => descriptors.giveBack(1, A)) instanceof SharedInvariantError);
  descriptors.forgetWorker(A);
  t.equal(descriptors.used, 2);
});

t.test('0 allows as many as one likes', async (t) => {
  const descriptors = ledger(0);
  for (let i = 0; i < 1000; i++) t.equal(descriptors.tryTake(2, A), true);
  t.equal(descriptors.free, Number.POSITIVE_INFINITY);
});

t.test('a worker that has more than is allowed by now keeps it, and none gets more', async (t) => {
  const descriptors = ledger(4);
  t.equal(descriptors.tryTake(4, A), true);
  descriptors.allow(2);
  t.equal(descriptors.free, -2);
  descriptors.giveBack(2, A);
  t.equal(descriptors.tryTake(1, B), false);
  descriptors.giveBack(1, A);
  t.equal(descriptors.tryTake(1, B), true);
});

t.test('what a lost worker had is given back, and it waits no longer', async (t) => {
  const descriptors = ledger(5);
  descriptors.tryTake(2, A);
  descriptors.tryTake(2, B);
  descriptors.setWaiting(B, 'waiting');
  t.same(
    [descriptors.anyWaiting, descriptors.isWaiting(A), descriptors.isWaiting(B)],
    [true, false, true],
  );
  descriptors.forgetWorker(B);
  t.same([descriptors.used, descriptors.anyWaiting], [2, false]);
  descriptors.forgetWorker(B);
  descriptors.giveBack(2, A);
  t.equal(descriptors.used, 0);
});

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
