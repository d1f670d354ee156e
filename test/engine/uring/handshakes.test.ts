import t from 'tap';
import { Handshakes } from '../../../src/engine/uring/handshakes.js';
import { Loop } from '../../../src/engine/uring/loop.js';
import { PairTable } from '../../../src/engine/uring/pairs.js';
import { createBell } from '../../../src/kernel/descriptor.js';
import { Ring } from '../../../src/kernel/ring.js';
import { AF_INET } from '../../../src/kernel/sockaddr.js';
import { SocketCalls } from '../../../src/kernel/socket_calls.js';
import { IPPROTO_TCP, TCP_QUICKACK } from '../../../src/kernel/sockets.js';
import { systemClock } from '../../../src/system/clock.js';
import { testKernel } from '../../support/uring_engine.js';

const kernel = testKernel();
const HOOKS = { tick: () => Number.POSITIVE_INFINITY, rung: () => {} };

t.test('a kernel that cannot ask for quick ACKs by the ring sends its own last ACK', async (t) => {
  const ring = Ring.open(kernel, 8, 8);
  const calls = SocketCalls.create(kernel);
  // An eventfd refuses the command just as a socket does before Linux 6.7.
  const bell = createBell(kernel);
  if (!ring.ok || !calls.ok || !bell.ok) throw new Error('a ring and an eventfd can be had');
  const loop = new Loop(ring.value, systemClock);
  const pairs = new PairTable(1);
  const hasSpoken = (): boolean => true;
  const handshakes = new Handshakes({ loop, pairs, calls: calls.value, hasSpoken });

  t.equal(sendsLastAck(handshakes), false);
  const pair = pairs.allocate(-1, 0);
  pairs.fd[2 * pair + 1] = bell.value;
  handshakes.connected(pair);
  loop.turn(HOOKS, 0);
  loop.turn(HOOKS, 0);
  t.equal(sendsLastAck(handshakes), true);
  kernel.libc.close(bell.value);
  ring.value.close();
});

/** tcp(7): whether the kernel acknowledges at once. */
function sendsLastAck(handshakes: Handshakes): boolean {
  const socket = handshakes.open(AF_INET);
  if (!socket.ok) throw new Error(socket.error.sentence);
  const answer = new Int32Array(1);
  kernel.libc.getsockopt(socket.value, IPPROTO_TCP, TCP_QUICKACK, answer, Int32Array.of(4));
  kernel.libc.close(socket.value);
  return answer[0] === 1;
}
