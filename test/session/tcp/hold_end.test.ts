/** What a hold leaves behind in a pool at which no session waits any more: nothing. */
import t from 'tap';
import { backendId, bed } from './bed.js';

t.test('a hold that ended when none waited any more extends no later wait', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 5, queueTimeoutMs: 1000 } });
  await test.apply({ pools: [test.pool({ heldAtMost: 9 })] });
  const gone = test.accept();
  await test.apply();
  test.worker(0).tcp.ends(gone, { kind: 'client-gone' });
  test.worker(0).ring();
  test.turn();
  await test.apply({ pools: [test.pool({ heldAtMost: 0 })] });
  test.ledger.setCap(backendId(0), 1);
  test.relay();
  test.accept();
  await test.pass(600, 100);
  await test.apply();
  await test.pass(500, 100);
  t.same(test.causes, ['client-gone', 'queue-timeout']);
});
