/** The system's randomness differs from process to process and is uniform. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { systemRandom } from '../../../src/system/random.js';

t.test('two processes draw different numbers', async (t) => {
  const url = new URL('../../../src/system/random.js', import.meta.url);
  const source = `import { systemRandom } from '${url}';
    console.log([1, 2, 3].map(() => systemRandom.next()).join());`;
  const draw = () => execFileSync(process.execPath, ['--input-type=module', '-e', source]);
  t.not(draw().toString(), draw().toString());
});

t.test('draws fill [0, 1) evenly', async (t) => {
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const bucket = Math.floor(systemRandom.next() * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // 10 000 expected, standard deviation 95: 700 off happens once in 10^12 runs.
  t.ok(buckets.length === 10 && buckets.every((count) => Math.abs(count - 10_000) < 700));
});
