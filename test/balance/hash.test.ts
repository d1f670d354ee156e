import t from 'tap';
import { avalanche, hashName, xxh32 } from '../../src/balance/hash.js';

t.test('XXH32 gives the published values', async (t) => {
  // From xxHash's documentation and the test vectors of python-xxhash (seed 0 unless stated).
  t.equal(hashName('', 0), 0x02cc5d05);
  t.equal(hashName('a', 0), 0x550d7456);
  t.equal(hashName('abc', 0), 0x32d153ff);
  t.equal(hashName('Nobody inspects the spammish repetition', 0), 0xe2293b2f);
});

t.test('only the first `length` bytes count', async (t) => {
  const bytes = new TextEncoder().encode('abcdef');
  t.equal(xxh32(bytes, 3, 0), hashName('abc', 0));
});

t.test('another seed is another hash', async (t) => {
  t.not(hashName('abc', 1), hashName('abc', 0));
});

t.test('each bit of the input moves about half of the bits of the avalanche', async (t) => {
  for (let bit = 0; bit < 32; bit++) {
    let moved = 0;
    for (let value = 0; value < 1000; value++) {
      const at = Math.imul(value, 0x9e3779b1);
      moved += ones(avalanche(at) ^ avalanche(at ^ (1 << bit)));
    }
    t.ok(moved > 13_000 && moved < 19_000, `bit ${bit}: ${moved / 1000} of 32`);
  }
});

function ones(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
}
