/** What a session that got no answer says about its backend, for ejection. */
import t, { type Test } from 'tap';
import { UNANSWERED_MS } from '../../../src/pool/selection.js';
import { type Bed, backendId, bed, NOTHING } from './bed.js';

const BACKEND = backendId(0);

/** A client that sent `bytes` leaves after `waitMs` without an answer. */
async function leaves(test: Bed, bytes: number, waitMs: number): Promise<void> {
  const pair = test.relay();
  const { tcp } = test.worker(0);
  if (bytes > 0) tcp.moves(pair, 'in', bytes);
  await test.pass(waitMs);
  tcp.ends(pair, { kind: 'finished', first: 'client' });
}

/** A pool whose only backend has answered a client. */
async function answeringBed(): Promise<Bed> {
  const test = await bed({ backends: 1 });
  const pair = test.relay();
  test.worker(0).tcp.moves(pair, 'out', 1);
  test.worker(0).tcp.ends(pair, { kind: 'finished', first: 'client' });
  return test;
}

function failures(t: Test, test: Bed, count: number): void {
  t.equal(test.ledger.ejections.failuresInARow(BACKEND), count);
  t.same(test.remains(), NOTHING);
}

t.test('a request that waited a second in vain is a failure of its backend', async (t) => {
  const test = await answeringBed();
  for (let i = 0; i < 3; i++) await leaves(test, 10, UNANSWERED_MS);
  failures(t, test, 3);
});

t.test('an answer in between ends the run of failures', async (t) => {
  const test = await answeringBed();
  await leaves(test, 10, UNANSWERED_MS);
  const pair = test.relay();
  test.worker(0).tcp.moves(pair, 'out', 1);
  test.worker(0).tcp.ends(pair, { kind: 'finished', first: 'client' });
  await leaves(test, 10, UNANSWERED_MS);
  failures(t, test, 1);
});

t.test('a client that leaves earlier, or said nothing, is no evidence', async (t) => {
  const test = await answeringBed();
  await leaves(test, 10, UNANSWERED_MS - 20);
  await leaves(test, 0, 5 * UNANSWERED_MS);
  failures(t, test, 0);
});

t.test('where no backend has ever answered, silence is the protocol', async (t) => {
  const test = await bed({ backends: 1 });
  for (let i = 0; i < 3; i++) await leaves(test, 10, 5 * UNANSWERED_MS);
  failures(t, test, 0);
});

t.test('a reset before the first byte is a failure at once', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.relay();
  test.worker(0).tcp.ends(pair, { kind: 'reset', by: 'backend' });
  failures(t, test, 1);
});
