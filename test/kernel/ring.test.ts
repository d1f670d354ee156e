import t from 'tap';
import { createBell, duplicate, ringBell } from '../../src/kernel/descriptor.js';
import { ERRNO } from '../../src/kernel/errno.js';
import { Ring } from '../../src/kernel/ring.js';
import { POLLIN, submitCancel, submitClose, submitPoll } from '../../src/kernel/submissions.js';
import { CQE_WORDS, OP, SQE_WORDS } from '../../src/kernel/uring_abi.js';
import { testKernel } from '../support/uring_engine.js';

const kernel = testKernel();

function openRing(entries: number, completions: number): Ring {
  const ring = Ring.open(kernel, entries, completions);
  if (!ring.ok) throw new Error(ring.error.sentence);
  return ring.value;
}

function submitNop(ring: Ring, mark: number): void {
  const at = ring.claim();
  ring.entries.fill(0, at, at + SQE_WORDS);
  ring.entries[at] = OP.NOP;
  ring.entries[at + 8] = mark;
}

/** User data and results of all completions since `head`. */
class Reader {
  readonly #ring: Ring;
  #head: number;

  constructor(ring: Ring) {
    this.#ring = ring;
    this.#head = ring.completionTail();
  }

  read(): [mark: number, result: number][] {
    const ring = this.#ring;
    const found: [number, number][] = [];
    for (const tail = ring.completionTail(); this.#head !== tail; this.#head++) {
      const at = (this.#head & ring.completionMask) * CQE_WORDS;
      found.push([ring.completions[at] ?? 0, ring.completions[at + 2] ?? 0]);
    }
    ring.completionsRead(this.#head);
    return found;
  }
}

t.test('completions come back in order over many rounds of both queues', async (t) => {
  const ring = openRing(8, 16);
  const reader = new Reader(ring);
  let next = 0;
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 5; i++) submitNop(ring, next++);
    ring.enter(1000);
    const marks = reader.read().map(([mark]) => mark);
    t.same(marks, [next - 5, next - 4, next - 3, next - 2, next - 1]);
  }
  ring.close();
});

t.test('a full submission queue is handed over and filled again', async (t) => {
  const ring = openRing(8, 64);
  const reader = new Reader(ring);
  for (let mark = 0; mark < 30; mark++) submitNop(ring, mark);
  t.ok(ring.queued <= 8);
  ring.enter(0);
  t.equal(ring.queued, 0);
  t.same(
    reader.read().map(([mark]) => mark),
    Array.from({ length: 30 }, (_, mark) => mark),
  );
  ring.close();
});

t.test('no completion is lost when their queue overflows', async (t) => {
  const ring = openRing(8, 8);
  const reader = new Reader(ring);
  for (let mark = 0; mark < 40; mark++) submitNop(ring, mark);
  ring.enter(0);
  t.equal(ring.overflown, true);
  const marks: number[] = [];
  for (let turn = 0; turn < 10; turn++) {
    marks.push(...reader.read().map(([mark]) => mark));
    ring.enter(0);
  }
  t.same(
    marks,
    Array.from({ length: 40 }, (_, mark) => mark),
  );
  t.equal(ring.overflown, false);
  ring.close();
});

t.test('waiting ends when its time is over, or with the first completion', async (t) => {
  const ring = openRing(8, 16);
  const reader = new Reader(ring);
  const bell = createBell(kernel);
  if (!bell.ok) throw new Error(bell.error.sentence);
  const before = performance.now();
  ring.enter(30);
  const waitedMs = performance.now() - before;
  t.ok(waitedMs >= 29, `${waitedMs} ms`);
  t.same(reader.read(), []);
  submitPoll(ring, bell.value, POLLIN, 7, 0);
  ring.enter(0);
  t.same(reader.read(), []);
  ringBell(kernel, bell.value);
  ring.enter(60_000);
  t.same(reader.read(), [[7, POLLIN]]);
  ring.close();
});

t.test('a cancelled operation completes, and cancelling nothing is reported', async (t) => {
  const ring = openRing(8, 16);
  const reader = new Reader(ring);
  const bell = createBell(kernel);
  if (!bell.ok) throw new Error(bell.error.sentence);
  const generation = (1 << 20) - 1;
  submitPoll(ring, bell.value, POLLIN, -5, generation);
  ring.enter(0);
  submitCancel(ring, -5, generation - 1, 1, 0);
  ring.enter(0);
  t.same(reader.read(), [[1, -ERRNO.ENOENT]], 'another generation is another operation');
  submitCancel(ring, -5, generation, 2, 0);
  ring.enter(0);
  t.same(reader.read(), [[-5, -ERRNO.ECANCELED]]);
  ring.close();
});

t.test('a close is silent, and one that fails is not', async (t) => {
  const ring = openRing(8, 16);
  const reader = new Reader(ring);
  const bell = createBell(kernel);
  if (!bell.ok) throw new Error(bell.error.sentence);
  const copy = duplicate(kernel, bell.value);
  if (!copy.ok) throw new Error(copy.error.sentence);
  submitClose(ring, copy.value, 3, 0);
  ring.enter(0);
  t.same(reader.read(), []);
  submitClose(ring, copy.value, 4, 0);
  ring.enter(0);
  t.same(reader.read(), [[4, -ERRNO.EBADF]]);
  ring.close();
});

t.test('what is not allowed is an error with its name', async (t) => {
  const refused = {
    ...kernel,
    libc: { ...kernel.libc, syscall: () => -ERRNO.EPERM },
  };
  t.match(Ring.open(refused, 8, 8), {
    ok: false,
    error: { call: 'io_uring_setup', errno: 'EPERM' },
  });
});
