import t from 'tap';
import { present } from '../../../src/core/assert.js';
import { backendId, bed, NOTHING, target } from './bed.js';

t.test('a failed dial goes on at once with a backend that was not tried yet', async (t) => {
  const test = await bed({ backends: 3 });
  const { tcp } = test.worker(0);
  const pair = test.accept();
  tcp.dialFails(pair, 'refused');
  tcp.dialFails(pair, 'unreachable');
  t.equal(new Set(tcp.dialled).size, 3);
  t.match(test.state(pair), /^dialling/);
  tcp.dialSucceeds(pair);
  tcp.ends(pair, { kind: 'finished', first: 'client' });
  const [record] = test.records;
  t.equal(record?.tried.length, 2);
  t.notOk(record?.tried.includes(record?.backend ?? ''));
  t.equal(test.total('retries'), 2);
  t.equal(test.dialFailures('refused'), 1);
  t.equal(test.dialFailures('unreachable'), 1);
  t.same(test.remains(), NOTHING);
});

t.test('after its retries a session ends as dial-failed', async (t) => {
  const test = await bed({ backends: 5, pool: { retries: 2 } });
  const { tcp } = test.worker(0);
  const pair = test.accept();
  for (let dial = 0; dial < 3; dial++) tcp.dialFails(pair, 'refused');
  t.equal(tcp.pair(pair).how, 'reset');
  test.turn();
  t.equal(tcp.dialled.length, 3);
  t.match(test.records, [{ end: { by: 'backend', stage: 'dial', cause: 'dial-failed' } }]);
  t.same(test.remains(), NOTHING);
});

t.test('a session whose every backend failed ends before its retries are used up', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.accept();
  test.worker(0).tcp.dialFails(pair, 'refused');
  test.turn();
  t.match(test.records, [{ end: { by: 'sluice', stage: 'dial', cause: 'dial-failed' } }]);
  t.equal(test.ledger.ejections.failuresInARow(backendId(0)), 1);
});

t.test('a dial that takes longer than the connect timeout is given up', async (t) => {
  const test = await bed({ backends: 2, pool: { connectTimeoutMs: 200 } });
  const { tcp } = test.worker(0);
  const pair = test.accept();
  await test.pass(190);
  t.equal(tcp.dialled.length, 1);
  await test.pass(20);
  t.equal(tcp.dialled.length, 2);
  t.equal(new Set(tcp.dialled).size, 2);
  t.equal(test.dialFailures('timeout'), 1);
  await test.pass(150);
  t.match(test.state(pair), /^dialling/, 'the second attempt has its own time');
  await test.pass(70);
  t.same(test.causes, ['dial-failed']);
  t.same(test.remains(), NOTHING);
});

t.test('a dial without a free port or descriptor is made again for a while', async (t) => {
  const causes = {
    'no-descriptor': 'resource-limit',
    'no-free-port': 'resource-limit',
    'no-source-address': 'no-source-address',
  } as const;
  for (const failure of Object.keys(causes) as (keyof typeof causes)[]) {
    const cause = causes[failure];
    const test = await bed();
    const pair = test.accept();
    test.worker(0).tcp.dialFails(pair, failure);
    await test.pass(100);
    t.equal(test.worker(0).tcp.dialled.length, 2, 'once more, after a rest');
    t.equal(test.ledger.ejections.failuresInARow(backendId(0)), 0, 'no backend is blamed');
    const dials = (): number => test.worker(0).tcp.dialled.length;
    for (let before = 0; before !== dials(); ) {
      before = dials();
      test.worker(0).tcp.dialFails(pair, failure);
      await test.pass(100);
      if (test.records.length > 0) break;
    }
    t.match(test.records, [{ end: { by: 'sluice', stage: 'dial', cause } }]);
    t.same(test.remains(), NOTHING);
  }
});

t.test('a session counts at the backend that it dials, and at one only', async (t) => {
  const test = await bed();
  const pair = test.accept();
  const first = test.worker(0).tcp.dialled[0] === target(0) ? 0 : 1;
  t.same([test.at(first, 'active'), test.at(1 - first, 'active')], [1, 0]);
  test.worker(0).tcp.dialFails(pair, 'refused');
  t.same([test.at(first, 'active'), test.at(1 - first, 'active')], [0, 1]);
  t.same([test.ledger.active(backendId(first)), test.ledger.active(backendId(1 - first))], [0, 1]);
});

t.test('each reason why there is no backend is reported', async (t) => {
  const down = await bed({ health: 'down' });
  down.accept();
  const none = await bed({ backends: 0 });
  none.accept();
  const full = await bed({ backends: 1 });
  full.ledger.setCap(backendId(0), 1);
  full.relay();
  full.accept();
  t.same([down.causes, none.causes, full.causes], [['all-down'], ['no-backend'], ['all-full']]);
  t.match(full.records, [{ end: { by: 'sluice', stage: 'select' } }]);
});

t.test('a retry may reach a backend that arrived after its listener went elsewhere', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.accept();
  const newcomer = present(
    ((await bed({ backends: 2 })).plan.pools[0]?.backends.slice(1) ?? [])[0],
    'there is no second backend',
  );
  test.ledger.setWeight(newcomer.id, 1);
  test.ledger.setHealth(newcomer.id, 'up');
  const pool = test.pool({});
  const backends = [...pool.backends, { ...newcomer, series: [] }];
  await test.apply({ listeners: [], pools: [test.pool({ backends })] });
  test.worker(0).tcp.dialFails(pair, 'refused');
  test.worker(0).tcp.dialSucceeds(pair);
  t.equal(test.state(pair), `relaying ${target(1)}`);
  t.equal(test.total('active'), 1, 'it is counted where sessions without a backend are');
  test.worker(0).tcp.ends(pair, { kind: 'finished', first: 'client' });
  t.same(test.remains(), NOTHING);
});
