/** The kernel's table of connections, and what is read from it. */
import t from 'tap';
import { endName, SendQueues, undeliveredIn } from '../../../src/engine/node/send_queue.js';
import { eventually } from '../../support/deadline.js';
import { FakeTime } from '../../support/fake_time.js';
import { connectPeer, LOOPBACK, LOOPBACK_6, type Peer, PeerServer } from '../../support/peer.js';

/** From a machine with the byte order of x86 and ARM. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0
  12: 0100007F:D431 0100007F:1F90 01 0002A1F0:00000000 01:00000014 00000000     0
`;

t.test('only connections with unacknowledged bytes are undelivered', async (t) => {
  t.same(undeliveredIn(TABLE), [['0100007F:D431 0100007F:1F90', '0002A1F0']]);
  t.same(undeliveredIn(''), []);
});

t.test('addresses are named as the kernel names them', async (t) => {
  t.equal(endName('127.0.0.1', 8080), '0100007F:1F90');
  t.equal(endName('::1', 80), '00000000000000000000000001000000:0050');
});

const MUCH = Buffer.alloc(4 * 1024 * 1024);
/** More than a peer's kernel has room for, and not more than the sender's has, too. */
const TAKEN_BY_KERNEL = Buffer.alloc(640 * 1024);

for (const [family, local] of [
  ['IPv4', LOOPBACK],
  ['IPv6', LOOPBACK_6],
] as const) {
  t.test(`${family}: bytes are delivered when the peer has taken them, not before`, async (t) => {
    const time = new FakeTime();
    const queues = new SendQueues(time, time, null);
    const server = await PeerServer.listen(local);
    const reader = await connectPeer(server.endpoint);
    const writer = await server.next();
    reader.socket.pause();
    writer.send(MUCH);
    let delivered = 'no';
    queues.whenDelivered(writer.socket, () => {
      delivered = 'yes';
    });
    for (let look = 0; look < 5; look++) await nextLook(time);
    t.equal(delivered, 'no', 'the peer takes nothing');
    reader.socket.resume();
    await reader.take(MUCH.length);
    await eventually('delivery', async () => {
      await time.pass(200);
      return delivered === 'yes' ? delivered : undefined;
    });
    await time.pass(1_000);
    t.equal(time.pending, 0, 'and nothing is looked at any more');
    reader.socket.destroy();
    server.close();
  });
}

t.test('a look that had begun before says nothing of bytes that were sent since', async (t) => {
  const server = await PeerServer.listen(LOOPBACK);
  // Between any two steps of a look, of which there are many, bytes are sent.
  for (let [steps, looks] = [0, 0]; looks < 3; steps += 32 + (steps >> 1)) {
    const time = new FakeTime();
    const queues = new SendQueues(time, time, null);
    const [first, second] = [await deafPair(server), await deafPair(server)];
    first.writer.send(MUCH);
    queues.whenDelivered(first.writer.socket, () => t.fail('the first one takes nothing'));
    for (let step = 0; step < steps && time.pending === 0; step++) await turn();
    looks += time.pending;
    second.writer.send(TAKEN_BY_KERNEL);
    t.equal(second.writer.socket.writableLength, 0, 'the kernel has it all');
    queues.whenDelivered(second.writer.socket, () => t.fail(`sent after ${steps} steps`));
    await eventually('the end of the look', () => (time.pending === 1 ? 'over' : undefined));
    for (const { reader } of [first, second]) reader.socket.destroy();
  }
  server.close();
});

t.test('a peer that takes nothing is given up where that is asked for', async (t) => {
  const time = new FakeTime();
  const server = await PeerServer.listen(LOOPBACK);
  const reader = await connectPeer(server.endpoint);
  const writer = await server.next();
  reader.socket.pause();
  writer.send(MUCH);
  let given = 'no';
  const giveUp = (): void => {
    given = 'up';
  };
  new SendQueues(time, time, null).whenDeliveredOrHopeless(writer.socket, giveUp);
  for (let look = 0; look < 4; look++) await nextLook(time);
  t.equal(given, 'no', 'after less than a second');
  await eventually('the end of patience', async () => {
    await time.pass(200);
    return given === 'up' ? given : undefined;
  });
  reader.socket.destroy();
  server.close();
});

t.test('a few bytes are not worth a look: they left at once', async (t) => {
  const server = await PeerServer.listen(LOOPBACK);
  const reader = await connectPeer(server.endpoint);
  const writer = await server.next();
  writer.send('a few bytes');
  let delivered = 'no';
  const time = new FakeTime();
  new SendQueues(time, time, null).whenDelivered(writer.socket, () => {
    delivered = 'yes';
  });
  t.equal(delivered, 'yes');
  reader.socket.destroy();
  server.close();
});

t.test('a socket that is destroyed is forgotten', async (t) => {
  const time = new FakeTime();
  const queues = new SendQueues(time, time, null);
  const server = await PeerServer.listen(LOOPBACK);
  const reader = await connectPeer(server.endpoint);
  const writer = await server.next();
  reader.socket.pause();
  writer.send(MUCH);
  queues.whenDelivered(writer.socket, () => t.fail('it was destroyed'));
  await nextLook(time);
  writer.socket.destroy();
  await time.pass(1_000);
  await eventually('the last look', () => (time.pending === 0 ? 'over' : undefined));
  await time.pass(1_000);
  t.equal(time.pending, 0);
  reader.socket.destroy();
  server.close();
});

/** Resolves when one more look is over and the next one waits for its time. */
async function nextLook(time: FakeTime): Promise<void> {
  await time.pass(200);
  await eventually('a look', () => (time.pending === 1 ? 'over' : undefined));
}

/** A connection of which one end reads nothing. */
async function deafPair(server: PeerServer): Promise<{ reader: Peer; writer: Peer }> {
  const reader = await connectPeer(server.endpoint);
  reader.socket.pause();
  return { reader, writer: await server.next() };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
