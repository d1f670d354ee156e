/** First bytes keep every byte in order, in a buffer or copied, and give each buffer back once. */
import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { FirstBytes } from '../../../src/engine/uring/first_bytes.js';
import { NONE } from '../../../src/engine/uring/pairs.js';
import { BufferPool } from '../../../src/kernel/buffer_pool.js';
import { Ring } from '../../../src/kernel/ring.js';
import { seed } from '../../support/seed.js';
import { testKernel } from '../../support/uring_engine.js';

const COUNT = 16;
const PAIRS = 6;
const STEPS = 4_000;
const MOST_BYTES = 300;

function bench() {
  const kernel = testKernel();
  const ring = Ring.open(kernel, 8, 8);
  if (!ring.ok) throw new Error(ring.error.sentence);
  const options = { group: 1, count: COUNT, bufferBytes: 65_536 };
  const pool = BufferPool.create(kernel, ring.value, options);
  if (!pool.ok) throw new Error(pool.error.sentence);
  t.teardown(() => {
    ring.value.close();
    pool.value.close();
  });
  return { pool: pool.value, first: new FirstBytes(pool.value, PAIRS) };
}

type Bench = ReturnType<typeof bench>;

function add({ pool, first }: Bench, pair: number, data: Buffer): void {
  const buffer = pool.take();
  pool.bytes.set(data, pool.offsetOf(buffer));
  first.add(pair, buffer, data.length);
}

t.test('a message that is seen stays in the buffer that it came in', async (t) => {
  const b = bench();
  const { free } = b.pool;
  add(b, 0, Buffer.from('hello'));
  t.equal(Buffer.from(b.first.view(0)).toString(), 'hello');
  t.equal(b.pool.free, free - 1);
  const buffer = b.first.takeBuffer(0);
  t.not(buffer, NONE);
  b.pool.recycle(buffer);
  t.equal(b.pool.free, free);
});

t.test('of one that is not complete only its own bytes are held', async (t) => {
  const b = bench();
  const { free } = b.pool;
  add(b, 0, Buffer.from('hel'));
  b.first.settle(0);
  t.equal(b.pool.free, free);
  t.equal(b.first.copiedBytes, 3);
  add(b, 0, Buffer.from('lo'));
  t.equal(Buffer.from(b.first.view(0)).toString(), 'hello');
  t.equal(b.first.takeBuffer(0), NONE);
  t.equal(b.pool.free, free);
});

t.test('in any order of calls no byte and no buffer is lost', async (t) => {
  const b = bench();
  const { pool, first } = b;
  const random = seededRandom(seed);
  const { free } = pool;
  const wanted = Array.from({ length: PAIRS }, () => Buffer.alloc(0));
  const calls: readonly ((pair: number) => void)[] = [
    (pair) => {
      const data = Buffer.alloc(1 + below(random, MOST_BYTES), below(random, 256));
      add(b, pair, data);
      wanted[pair] = Buffer.concat([wanted[pair] ?? data, data]);
    },
    (pair) => first.settle(pair),
    (pair) => {
      const length = first.length(pair);
      const count = below(random, 3) === 0 ? length : below(random, length + 1);
      first.drop(pair, count);
      wanted[pair] = (wanted[pair] ?? Buffer.alloc(0)).subarray(count);
    },
    (pair) => {
      const buffer = first.takeBuffer(pair);
      if (buffer === NONE) return;
      const at = pool.offsetOf(buffer);
      const got = Buffer.from(pool.bytes.subarray(at, at + first.keptBytes(pair)));
      if (!got.equals(wanted[pair] ?? got)) t.fail(`a buffer has other bytes, SEED=${seed}`);
      pool.recycle(buffer);
      wanted[pair] = Buffer.alloc(0);
    },
    (pair) => {
      const got = first.take(pair) ?? Buffer.alloc(0);
      if (!(wanted[pair] ?? Buffer.alloc(0)).equals(got)) t.fail(`other bytes, SEED=${seed}`);
      wanted[pair] = Buffer.alloc(0);
    },
  ];
  for (let step = 0; step < STEPS; step++) {
    const pair = below(random, PAIRS);
    calls[below(random, calls.length)]?.(pair);
    const seen = Buffer.from(first.view(pair));
    if (!seen.equals(wanted[pair] ?? seen)) t.fail(`step ${step} lost bytes, SEED=${seed}`);
    if (seen.length !== first.length(pair)) t.fail(`step ${step} miscounts, SEED=${seed}`);
    if (pool.free < free - COUNT / 4) t.fail(`step ${step} keeps too many, SEED=${seed}`);
  }
  for (let pair = 0; pair < PAIRS; pair++) first.clear(pair);
  t.equal(pool.free, free);
  t.equal(first.copiedBytes, 0);
});
