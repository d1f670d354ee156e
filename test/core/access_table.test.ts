/** The table of intervals says what a look at every block would say. */
import t from 'tap';
import {
  type AccessBlock,
  AccessBlocks,
  AccessList,
  type AccessRefusal,
  type AccessTable,
} from '../../src/core/access_table.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { atOnce, ITEMS_PER_STRETCH } from '../../src/core/stretches.js';
import { nowMs } from '../support/deadline.js';
import { seed } from '../support/seed.js';

const CASES = 400;

type Others = AccessTable['others'];

/** By the definition: the longest prefix wins, and "deny" between two that are the same. */
function defined(
  blocks: readonly AccessBlock[],
  others: Others,
  address: Uint8Array,
): AccessRefusal | null {
  const around = blocks.filter((block) => contains(block, address));
  const most = Math.max(-1, ...around.map(({ prefixBits }) => prefixBits));
  const words = around.filter(({ prefixBits }) => prefixBits === most).map(({ word }) => word);
  if (words.includes('deny')) return 'denied';
  return words.includes('allow') || others === 'allowed' ? null : 'not-allowed';
}

function contains({ bytes, prefixBits }: AccessBlock, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  for (let bit = 0; bit < prefixBits; bit++) {
    if (bitOf(bytes, bit) !== bitOf(address, bit)) return false;
  }
  return true;
}

const bitOf = (bytes: Uint8Array, bit: number): number =>
  ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;

/** Few different bits, so that blocks are inside each other and side by side. */
function drawBytes(random: Random, length: 4 | 16): Uint8Array {
  const bytes = new Uint8Array(length);
  const fill = [0, 255, 1, 128][below(random, 4)] ?? 0;
  for (let at = 0; at < length; at++) bytes[at] = random.next() < 0.7 ? fill : below(random, 256);
  return bytes;
}

function drawBlock(random: Random): AccessBlock {
  const length = random.next() < 0.5 ? 4 : 16;
  const bytes = drawBytes(random, length);
  const edges = [0, 1, 8, 31, 32, 33, 64, 96, 127, 128];
  const most = 8 * length;
  const drawn = random.next() < 0.5 ? (edges[below(random, 10)] ?? 0) : below(random, most + 1);
  const prefixBits = Math.min(drawn, most);
  for (let bit = prefixBits; bit < most; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(1 << (7 - (bit & 7)));
  }
  return { bytes, prefixBits, word: random.next() < 0.5 ? 'allow' : 'deny' };
}

/** The first and the last address of a block, and those beside it. */
function around({ bytes, prefixBits }: AccessBlock): readonly Uint8Array[] {
  const last = new Uint8Array(bytes);
  for (let bit = prefixBits; bit < 8 * bytes.length; bit++) {
    last[bit >> 3] = (last[bit >> 3] ?? 0) | (1 << (7 - (bit & 7)));
  }
  const moved = (from: Uint8Array, by: 1 | -1): Uint8Array => {
    const to = new Uint8Array(from);
    for (let at = to.length - 1; at >= 0; at--) {
      const was = to[at] ?? 0;
      to[at] = was + by;
      if (was !== (by === 1 ? 255 : 0)) break;
    }
    return to;
  };
  return [bytes, last, moved(bytes, -1), moved(last, 1)];
}

function listOf(blocks: readonly AccessBlock[], others: Others): AccessList {
  const collected = new AccessBlocks();
  for (const block of blocks) collected.add(block);
  return new AccessList(atOnce(collected.table(1, { others, dryRun: false })));
}

t.test('whatever the blocks, the most specific one decides', async (t) => {
  let asked = 0;
  for (let at = 0; at < CASES; at++) {
    const random = seededRandom(seed + at);
    const blocks = Array.from({ length: below(random, 30) }, () => drawBlock(random));
    const others = random.next() < 0.5 ? 'allowed' : 'not allowed';
    const list = listOf(blocks, others);
    const addresses = [
      ...blocks.flatMap(around),
      drawBytes(random, 4),
      drawBytes(random, 16).fill(9, 0, 1),
    ];
    for (const address of addresses) {
      const plain = isMapped(address) ? address.subarray(12) : address;
      asked++;
      const wanted = defined(blocks, others, plain);
      if (list.refusal(address) === wanted) continue;
      t.equal(list.refusal(address), wanted, `SEED=${seed + at}: ${address.join('.')}`);
    }
  }
  t.ok(asked > CASES * 10);
});

/** Which is asked for as the IPv4 address that it stands for. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.subarray(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
}

t.test('more blocks than are sorted at a stretch decide in the same way', async (t) => {
  const random = seededRandom(seed);
  const blocks = Array.from({ length: 3 * ITEMS_PER_STRETCH + 7 }, () => drawBlock(random));
  const list = listOf(blocks, 'not allowed');
  const chosen = Array.from({ length: 60 }, () => blocks[below(random, blocks.length)]);
  for (const address of chosen.flatMap((block) => (block === undefined ? [] : around(block)))) {
    const plain = isMapped(address) ? address.subarray(12) : address;
    const wanted = defined(blocks, 'not allowed', plain);
    t.equal(list.refusal(address), wanted, `SEED=${seed}: ${address.join('.')}`);
  }
});

t.test('a million blocks are made in seconds, and a look takes no walk through them', async (t) => {
  const blocks = new AccessBlocks();
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 1_000_000; index++) {
    bytes.set([index >> 16, (index >> 8) & 255, index & 255, 0]);
    blocks.add({ bytes, prefixBits: 24 + (index & 7), word: (index & 1) === 0 ? 'deny' : 'allow' });
  }
  t.equal(blocks.count, 1_000_000);
  const work = blocks.table(1, { others: 'not allowed', dryRun: false });
  let longestMs = 0;
  let step = work.next();
  for (let beganMs = nowMs(); step.done !== true; beganMs = nowMs()) {
    step = work.next();
    longestMs = Math.max(longestMs, nowMs() - beganMs);
  }
  t.comment(`${Math.round(longestMs)} ms at a stretch`);
  t.ok(longestMs < 200, `${Math.round(longestMs)} ms in which nothing else has its turn`);
  const list = new AccessList(step.value);
  const random = seededRandom(seed);
  const keys = Array.from({ length: 4_096 }, () =>
    Uint8Array.from([below(random, 16), below(random, 256), below(random, 256), below(random, 9)]),
  );
  let refused = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 100; round++) {
    const start = process.hrtime.bigint();
    for (const key of keys) if (list.refusal(key) !== null) refused++;
    best = Math.min(best, Number(process.hrtime.bigint() - start) / keys.length);
  }
  t.ok(refused > 0);
  t.comment(`${Math.round(best)} ns per look`);
  // Some 300 ns at rest; beside other tests it was 900. A walk would take 100,000.
  t.ok(best < 5_000, `${Math.round(best)} ns`);
});
