/** Queues of buffers keep every byte and its credit, however they are cut, moved and dropped. */
import t from 'tap';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import { Chains } from '../../../src/engine/uring/chains.js';
import { BufferPool, SMALL_BYTES } from '../../../src/kernel/buffer_pool.js';
import { Ring } from '../../../src/kernel/ring.js';
import { seed } from '../../support/seed.js';
import { testKernel } from '../../support/uring_engine.js';

const LARGE_BYTES = 65_536;
const COUNT = 16;
const DIRECTIONS = 3;
const STEPS = 4_000;

function bench(small: number) {
  const kernel = testKernel();
  const ring = Ring.open(kernel, 8, 8);
  if (!ring.ok) throw new Error(ring.error.sentence);
  const options = { group: 1, count: COUNT, bufferBytes: LARGE_BYTES, small };
  const pool = BufferPool.create(kernel, ring.value, options);
  if (!pool.ok) throw new Error(pool.error.sentence);
  const close = (): void => {
    ring.value.close();
    pool.value.close();
  };
  return { pool: pool.value, chains: new Chains(pool.value, DIRECTIONS), close };
}

type Bench = ReturnType<typeof bench>;

/** Appends `data` in a large buffer; false when there is none. */
function give({ pool, chains }: Bench, to: number, data: Buffer, credit: number): boolean {
  const buffer = pool.take();
  if (buffer < 0) return false;
  pool.bytes.set(data, pool.offsetOf(buffer));
  chains.append(to, buffer, data.length, credit);
  return true;
}

/** What stands first, as it would be sent. */
function front({ pool, chains }: Bench, direction: number): Buffer {
  const at = chains.offset(direction);
  return Buffer.from(pool.bytes.subarray(at, at + chains.bytes(direction)));
}

/** Sends everything. */
function drain(b: Bench, direction: number): { sent: Buffer; credit: number } {
  const parts: Buffer[] = [];
  let credit = 0;
  while ((b.chains.length[direction] ?? 0) > 0) {
    parts.push(front(b, direction));
    credit += b.chains.shift(direction);
  }
  return { sent: Buffer.concat(parts), credit };
}

t.test('what stands in large buffers moves into as few small ones as hold it', async (t) => {
  const b = bench(16);
  for (let part = 0; part < 3; part++) give(b, 0, Buffer.alloc(5_000, `${part}`), 5_000);
  t.equal(b.chains.shrink(0), 'shrunk');
  t.equal(b.pool.free, COUNT);
  t.equal(b.pool.smallUsed, 1);
  give(b, 0, Buffer.alloc(LARGE_BYTES, 'x'), LARGE_BYTES);
  t.equal(b.chains.shrink(0), 'shrunk', 'behind what is small already');
  t.equal(b.pool.smallUsed, Math.ceil((15_000 + LARGE_BYTES) / SMALL_BYTES));
  t.equal(drain(b, 0).sent.length, 15_000 + LARGE_BYTES);
  t.equal(b.pool.smallUsed, 0);
  b.close();
});

t.test('a part that was sent does not move, and nothing is put where it stood', async (t) => {
  const b = bench(16);
  give(b, 0, Buffer.from('sent, not sent'), 14);
  b.chains.advance(0, 6);
  t.equal(b.chains.shrink(0), 'shrunk');
  t.equal(front(b, 0).toString(), 'not sent');
  b.chains.advance(0, 4);
  give(b, 0, Buffer.from(', more'), 6);
  t.equal(b.chains.shrink(0), 'shrunk');
  t.same(drain(b, 0), { sent: Buffer.from('sent, more'), credit: 20 });
  b.close();
});

t.test('without room for all of it, nothing moves and nothing is lost', async (t) => {
  const b = bench(3);
  const data = Buffer.alloc(LARGE_BYTES, 'abc');
  give(b, 0, data, data.length);
  t.equal(b.chains.shrink(0), 'no room');
  t.equal(b.pool.smallUsed, 0);
  t.equal(b.pool.free, COUNT - 1);
  t.same(drain(b, 0), { sent: data, credit: data.length });
  t.equal(b.pool.free, COUNT);
  b.close();
});

t.test(`in whatever order, bytes and credits are kept; SEED=${seed}`, async (t) => {
  const random = seededRandom(seed);
  const b = bench(24);
  const models = Array.from({ length: DIRECTIONS }, (_, direction) => new Model(b, direction));
  const done = { shrunk: 0, 'no room': 0 };
  const wrong: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const model = models[below(random, DIRECTIONS)];
    if (model === undefined) continue;
    const what = below(random, 6);
    if (what < 2) model.give(random);
    else if (what === 2) done[b.chains.shrink(model.direction)]++;
    else if (what === 3) model.sendPart(random);
    else if (what === 4) model.send();
    else if (below(random, 20) === 0) model.sendAll();
    if (model.wrong !== null) wrong.push(`step ${step}: ${model.wrong}`);
    if (wrong.length > 5) break;
  }
  t.same(wrong, []);
  t.ok(done.shrunk > 0 && done['no room'] > 0, JSON.stringify(done));
  for (const model of models) {
    model.sendAll();
    t.equal(model.wrong, null);
  }
  t.equal(b.pool.free, COUNT);
  t.equal(b.pool.smallUsed, 0);
  b.close();
});

/** What a direction has to send, and its credit. */
class Model {
  readonly direction: number;
  wrong: string | null = null;
  readonly #bench: Bench;
  #bytes = Buffer.alloc(0);
  #credit = 0;

  constructor(bench: Bench, direction: number) {
    this.#bench = bench;
    this.direction = direction;
  }

  give(random: Random): void {
    const data = Buffer.alloc(1 + below(random, below(random, 2) === 0 ? 300 : LARGE_BYTES));
    for (let at = 0; at < data.length; at += 7) data[at] = below(random, 256);
    const credit = data.length - below(random, Math.min(data.length, 100));
    if (!give(this.#bench, this.direction, data, credit)) return;
    this.#bytes = Buffer.concat([this.#bytes, data]);
    this.#credit += credit;
  }

  sendPart(random: Random): void {
    const bytes = this.#isEmpty ? 0 : this.#bench.chains.bytes(this.direction);
    if (bytes < 2) return;
    const sent = 1 + below(random, bytes - 1);
    this.#isSent(front(this.#bench, this.direction).subarray(0, sent));
    this.#bench.chains.advance(this.direction, sent);
  }

  send(): void {
    if (this.#isEmpty) return;
    this.#isSent(front(this.#bench, this.direction));
    this.#credit -= this.#bench.chains.shift(this.direction);
  }

  /** All bytes, and then all the credit that was given. */
  sendAll(): void {
    while (!this.#isEmpty) this.send();
    if (this.#bytes.length > 0) this.wrong = `${this.#bytes.length} bytes are lost`;
    if (this.#credit !== 0) this.wrong = `a credit of ${this.#credit} is lost`;
  }

  get #isEmpty(): boolean {
    return this.#bench.chains.length[this.direction] === 0;
  }

  #isSent(sent: Buffer): void {
    if (!sent.equals(this.#bytes.subarray(0, sent.length))) this.wrong = 'other bytes are sent';
    this.#bytes = this.#bytes.subarray(sent.length);
  }
}
