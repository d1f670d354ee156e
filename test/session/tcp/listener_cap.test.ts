import t from 'tap';
import { present } from '../../../src/core/assert.js';
import type { SeriesId, WorkerId } from '../../../src/core/brand.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { bed, client, KEY, LISTENER, NOTHING } from './bed.js';

const SOCKET = {
  key: 7,
  source: { kind: 'bind', local: ipEndpoint(4, '192.0.2.1', 7), reusePort: 'exclusive' },
  socket: 7,
} as const;

const OTHER_SERIES = 9 as SeriesId;

t.test('at the cap clients wait in the backlog, and come when there is room', async (t) => {
  const test = await bed({ listener: { maxSessions: 2 } });
  const { tcp } = test.worker(0);
  const first = test.relay();
  test.relay();
  t.equal(tcp.connect(KEY, client(50)), null);
  await test.pass(1000, 100);
  t.equal(tcp.pairs.size, 2);
  tcp.ends(first, { kind: 'finished', first: 'client' });
  test.turn();
  t.equal(tcp.pairs.size, 2);
  t.equal(test.ledger.listenerActive(LISTENER), 2);
  t.equal(tcp.dialled.length, 3);
});

t.test(
  'the cap is exact over workers: what was accepted beyond it is held, in order',
  async (t) => {
    const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
    const served = test.relay(0);
    const held = [test.accept(1)];
    t.equal(test.worker(1).tcp.connect(KEY, client(50)), null, 'the other worker has paused too');
    t.equal(test.ledger.listenerActive(LISTENER), 1);
    t.equal(test.total('accepted'), 1);
    test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
    test.turn();
    t.match(test.state(held[0] ?? served, 1), /^dialling/);
    t.equal(test.ledger.listenerActive(LISTENER), 1);
  },
);

t.test('a client that is held goes before those that come later', async (t) => {
  const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
  const served = test.relay(0);
  const held = test.accept(1);
  // Accepted by the kernel before the pause reached it.
  test.worker(1).tcp.resumeListener(KEY);
  test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
  const late = present(
    test.worker(1).tcp.connect(KEY, client(50)),
    'the client waits in the backlog',
  );
  test.turn();
  t.match(test.state(held, 1), /^dialling/);
  t.equal(test.state(late, 1), 'idle -');
});

t.test('a held client that goes away leaves no trace', async (t) => {
  const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
  const served = test.relay(0);
  const held = test.accept(1);
  test.worker(1).tcp.ends(held, { kind: 'client-gone' });
  t.same(test.records, []);
  test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
  test.turn();
  t.same(test.remains(), NOTHING);
  test.relay(1);
  t.equal(test.remains().sessions, 1);
});

t.test('a reload that raises the cap lets clients in at once', async (t) => {
  const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
  test.relay(0);
  const held = test.accept(1);
  await test.apply({ listeners: [test.listener({ maxSessions: 3 })] });
  t.match(test.state(held, 1), /^dialling/);
  test.relay(0);
  t.equal(test.ledger.listenerActive(LISTENER), 3);
});

t.test('a held client counts where its listener counts when it is let in', async (t) => {
  const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
  const served = test.relay(0);
  const held = test.accept(1);
  // A reload led the listener to another pool: what it counted at before may be another's soon.
  await test.apply({ listeners: [test.listener({ series: OTHER_SERIES })] });
  test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
  test.turn();
  t.match(test.state(held, 1), /^dialling/);
  t.equal(test.total('accepted'), 1, 'nothing more is counted at the old row');
});

t.test('a socket that is opened at the cap does not accept', async (t) => {
  const test = await bed({ listener: { maxSessions: 1 } });
  const { tcp } = test.worker(0);
  const served = test.relay();
  const socket = present(test.listener({}).sockets[0], 'the listener has no socket');
  await test.apply({ listeners: [test.listener({ sockets: [socket, SOCKET] })] });
  t.equal(tcp.connect(SOCKET.key, client(50)), null);
  tcp.ends(served, { kind: 'finished', first: 'client' });
  test.turn();
  t.equal(tcp.pairs.size, 1);
});

t.test(
  'a listener that is removed lets its sessions go on and turns away clients that are held',
  async (t) => {
    const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
    const served = test.relay(0);
    const held = test.accept(1);
    await test.apply({ listeners: [] });
    t.equal(test.state(held, 1), null);
    t.match(test.state(served), /^relaying/);
    test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
    t.same(test.remains(), NOTHING);
  },
);

t.test('a listener that returns while its old sessions run has one cap for all', async (t) => {
  const test = await bed({ listener: { maxSessions: 1 } });
  const { listeners } = test.plan;
  const served = test.relay();
  await test.apply({ listeners: [] });
  await test.apply({ listeners });
  t.throws(() => test.accept(), /waits in the backlog/);
  test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
  test.turn();
  const [next] = test.worker(0).tcp.pairs.values();
  t.equal(next?.state, 'dialling', 'the client that waited is served');
  t.equal(test.ledger.listenerActive(LISTENER), 1);
});

t.test(
  'a listener that was paused when it was removed and returned accepts when there is room',
  async (t) => {
    const test = await bed({ workers: 2, listener: { maxSessions: 1 } });
    const { listeners } = test.plan;
    const served = test.relay(0);
    test.accept(1);
    await test.apply({ listeners: [] });
    await test.apply({ listeners });
    const { tcp } = test.worker(1);
    t.equal(tcp.connect(KEY, client(50)), null, 'the client waits in the backlog');
    test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
    test.turn();
    t.match([...tcp.pairs.values()], [{ state: 'dialling' }]);
  },
);

t.test('a place that a client of the same worker takes wakes no other worker', async (t) => {
  const test = await bed({ workers: 2, listener: { maxSessions: 2 } });
  const served = test.relay(0);
  test.relay(1);
  const held = test.accept(0);
  const before = test.worker(1).rings;
  test.worker(0).tcp.ends(served, { kind: 'finished', first: 'client' });
  test.turn();
  t.match(test.state(held), /^dialling/);
  t.ok(test.ledger.listenerWaiting(LISTENER, 1 as WorkerId), 'though it has paused');
  t.equal(test.worker(1).rings, before);
});

t.test('a socket that cannot be opened is reported, and the others work', async (t) => {
  const test = await bed();
  const { tcp, plane } = test.worker(0);
  tcp.taken.add(SOCKET.key);
  const listeners = [test.listener({ sockets: [SOCKET] })];
  const opened = await plane.apply({ kind: 'listeners', listeners });
  t.match(opened, [{ key: SOCKET.key, outcome: { ok: false, errno: 'EADDRINUSE' } }]);
  t.equal(tcp.sockets.has(KEY), false, 'an address that is no longer wanted closes');
});
