import t from 'tap';
import { present } from '../../../src/core/assert.js';
import { backendId, bed, NOTHING, target } from './bed.js';

t.test('a session is chosen, dialled, relayed, closed, and leaves nothing behind', async (t) => {
  const test = await bed();
  const pair = test.accept();
  const [dialled = ''] = test.worker(0).tcp.dialled;
  t.equal(test.state(pair), `dialling ${dialled}`);
  await test.pass(30);
  test.worker(0).tcp.dialSucceeds(pair);
  t.equal(test.state(pair), `relaying ${dialled}`);
  test.worker(0).tcp.moves(pair, 'in', 100);
  await test.pass(40);
  test.worker(0).tcp.moves(pair, 'out', 2000);
  t.same([test.ledger.listenerActive(test.listener({}).id), test.total('active')], [1, 1]);
  await test.pass(30);
  test.worker(0).tcp.ends(pair, { kind: 'finished', first: 'client' });
  t.match(test.records, [
    {
      protocol: 'tcp',
      listener: 'front',
      client: '198.51.100.1:10000',
      local: '192.0.2.1:5432',
      pool: 'pg',
      policy: 'least-connections',
      tried: [],
      queueMs: null,
      connectMs: 30,
      firstByteMs: 40,
      durationMs: 100,
      bytesIn: 100,
      bytesOut: 2000,
      end: { by: 'client', stage: 'relay', cause: 'finished' },
    },
  ]);
  t.equal(test.total('accepted'), 1);
  t.equal(test.total('bytesIn'), 100);
  t.equal(test.total('bytesOut'), 2000);
  t.same(test.remains(), NOTHING);
});

t.test('bytes of a session that runs on reach the counters without its end', async (t) => {
  const test = await bed();
  const pair = test.relay();
  test.worker(0).tcp.moves(pair, 'out', 500);
  await test.pass(300);
  t.equal(test.total('bytesOut'), 500);
  test.worker(0).tcp.moves(pair, 'out', 500);
  test.worker(0).tcp.ends(pair, { kind: 'finished', first: 'backend' });
  t.equal(test.total('bytesOut'), 1000);
});

t.test('a reset is reported with the side it came from', async (t) => {
  for (const by of ['client', 'backend'] as const) {
    const test = await bed();
    const pair = test.relay();
    test.worker(0).tcp.ends(pair, { kind: 'reset', by });
    t.match(test.records, [{ end: { by, stage: 'relay', cause: `${by}-reset` } }]);
    t.same(test.remains(), NOTHING);
  }
});

t.test('only a reset before its first byte is a failure of the backend', async (t) => {
  const test = await bed({ backends: 1 });
  const id = backendId(0);
  const early = test.relay();
  test.worker(0).tcp.ends(early, { kind: 'reset', by: 'backend' });
  t.equal(test.ledger.ejections.failuresInARow(id), 1);
  const silent = test.relay();
  test.worker(0).tcp.ends(silent, { kind: 'reset', by: 'client' });
  t.equal(test.ledger.ejections.failuresInARow(id), 1, 'a client that resets says nothing');
  const answered = test.relay();
  test.worker(0).tcp.moves(answered, 'out', 1);
  test.worker(0).tcp.ends(answered, { kind: 'reset', by: 'backend' });
  t.equal(test.ledger.ejections.failuresInARow(id), 0, 'an answer ends the run of failures');
});

t.test('a client that goes away ends its session in every phase', async (t) => {
  const phases = {
    header: { listener: { trustedProxies: [] }, stage: 'accept' },
    unproven: { health: 'unproven', stage: 'select' },
    queued: { pool: { queueSize: 5 }, stage: 'queue' },
    dialling: { stage: 'dial' },
  } as const;
  for (const [phase, { stage, ...options }] of Object.entries(phases)) {
    const unix = { kind: 'unix', path: '/run/client' } as const;
    const test = await bed({ backends: 1, ...options });
    if (phase === 'queued') {
      test.ledger.setCap(backendId(0), 1);
      test.relay();
    }
    const worker = test.worker(0);
    const pair = present(worker.tcp.connect(5432, unix), 'the client waits in the backlog');
    worker.tcp.ends(pair, { kind: 'client-gone' });
    t.match(test.records, [{ end: { by: 'client', stage, cause: 'client-gone' } }], phase);
    t.equal(test.ledger.queued(test.pool({}).id), 0);
    if (phase !== 'queued') t.same(test.remains(), NOTHING, phase);
  }
});

t.test('a limit of the engine is reported as a limit of sluice, not of the backend', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.relay();
  test.worker(0).tcp.ends(pair, { kind: 'limit', sentence: 'no buffers' });
  t.match(test.records, [{ end: { by: 'sluice', stage: 'relay', cause: 'resource-limit' } }]);
  t.equal(test.ledger.ejections.failuresInARow(backendId(0)), 0);
});

t.test('an accept error is passed on and ends nothing', async (t) => {
  const test = await bed();
  test.relay();
  test.worker(0).plane.tcp.acceptFailed(5432, 'EMFILE');
  t.same(test.worker(0).acceptErrors, ['EMFILE']);
  t.equal(test.remains().sessions, 1);
});

t.test('a session that was ordered to close counts until it is closed', async (t) => {
  const test = await bed({ backends: 1 });
  const pair = test.relay();
  test.worker(0).plane.endSessions({
    backend: null,
    cause: 'shutdown',
    spanMs: 0,
    limit: null,
    order: 'final',
  });
  t.equal(test.state(pair), `closing ${target(0)}`);
  t.equal(test.ledger.active(backendId(0)), 1);
  test.turn();
  t.same(test.remains(), NOTHING);
  t.match(test.records, [{ end: { by: 'sluice', stage: 'drain', cause: 'shutdown' } }]);
});
