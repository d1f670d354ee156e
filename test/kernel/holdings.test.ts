/** What a thread held is given back by another one. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { present } from '../../src/core/assert.js';
import type { WorkerId } from '../../src/core/brand.js';
import { closeDescriptor, createBell } from '../../src/kernel/descriptor.js';
import { createHoldingsMemory, Holdings } from '../../src/kernel/holdings.js';
import { mapMemory } from '../../src/kernel/memory.js';
import { Ring } from '../../src/kernel/ring.js';
import { AF_INET } from '../../src/kernel/sockaddr.js';
import { SocketCalls } from '../../src/kernel/socket_calls.js';
import { SOCK_CLOEXEC } from '../../src/kernel/sockets.js';
import { submitClose } from '../../src/kernel/submissions.js';
import { testKernel } from '../support/uring_engine.js';

const [LOST, OTHER] = [0 as WorkerId, 1 as WorkerId];
/** fcntl(2) */
const F_GETFD = 1;
const kernel = testKernel();

/** Node.js opens and closes none of its own while a test of this file goes on. */
function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

t.test('rings, sockets, pipes and memory of a lost worker are given back', async (t) => {
  const holdings = new Holdings(createHoldingsMemory());
  const lost = holdings.through(kernel, LOST);
  const before = descriptors();
  t.ok(Ring.open(lost, 8, 8).ok);
  t.ok(callsOf(lost).open(AF_INET).ok);
  t.equal(lost.libc.pipe2(new Int32Array(2), SOCK_CLOEXEC), 0);
  const memory = mapMemory(lost, 4096);
  const words = new Int32Array(present(memory.ok ? memory.value : null, 'a page').buffer);
  words[0] = 42;
  t.equal(descriptors(), before + 4);

  holdings.giveBack(kernel, LOST);
  t.equal(descriptors(), before);
  t.equal(words[0], 0, 'its pages are empty ones');
  holdings.giveBack(kernel, LOST);
  t.equal(descriptors(), before, 'nothing is given back twice');
});

t.test('what another worker holds stays open', async (t) => {
  const holdings = new Holdings(createHoldingsMemory());
  const opened = callsOf(holdings.through(kernel, OTHER)).open(AF_INET);
  const before = descriptors();
  holdings.giveBack(kernel, LOST);
  t.equal(descriptors(), before);
  if (opened.ok) closeDescriptor(kernel, opened.value);
});

t.test('a number that was closed through a ring is not held any more', async (t) => {
  const holdings = new Holdings(createHoldingsMemory());
  const lost = holdings.through(kernel, LOST);
  const opened = Ring.open(lost, 8, 8);
  const socket = callsOf(lost).open(AF_INET);
  if (!opened.ok || !socket.ok) throw new Error('a ring and a socket can be had');
  const ring = opened.value;
  submitClose(ring, socket.value, 1, 0);
  ring.submit();
  const bell = createBell(kernel);
  t.same(bell, socket, 'another descriptor has the number');
  holdings.giveBack(kernel, LOST);
  if (bell.ok) t.ok(kernel.libc.fcntl(bell.value, F_GETFD, 0) >= 0, 'and keeps it');
  if (bell.ok) closeDescriptor(kernel, bell.value);
});

t.test('a close that the kernel has not taken is made in the place of the thread', (t) => {
  const holdings = new Holdings(createHoldingsMemory());
  const lost = holdings.through(kernel, LOST);
  const before = descriptors();
  const opened = Ring.open(lost, 8, 8);
  if (!opened.ok) throw new Error('a ring can be had');
  const calls = callsOf(lost);
  const sockets = Array.from({ length: 5 }, () => calls.open(AF_INET));
  for (const [index, socket] of sockets.entries()) {
    if (!socket.ok) throw new Error('a socket can be had');
    submitClose(opened.value, socket.value, index, 0);
    // The first two are taken: places of the queue that were used before hold closes as well.
    if (index === 1) opened.value.submit();
  }
  t.equal(descriptors(), before + 1 + 3, 'the ring, and the sockets whose close was not taken');
  const bells = [createBell(kernel), createBell(kernel)];
  holdings.giveBack(kernel, LOST);
  for (const bell of bells) {
    if (!bell.ok) throw new Error('a bell can be had');
    t.ok(kernel.libc.fcntl(bell.value, F_GETFD, 0) >= 0, 'the new holder of the number keeps it');
    closeDescriptor(kernel, bell.value);
  }
  t.equal(descriptors(), before);
  t.end();
});

function callsOf(through: typeof kernel): SocketCalls {
  const calls = SocketCalls.create(through);
  return present(calls.ok ? calls.value : null, 'a page for arguments');
}
