/** Rows in shared memory are laid out once, at start, for this many and no more. */
import t from 'tap';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS } from '../../../src/core/limits.js';
import { problemsOf } from '../../support/config_problems.js';

const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const listeners = (count: number): string =>
  many(count, (i) => `[listeners.l${i}]\nbind = "127.0.0.1:0"\npool = "p"`);
const backends = (pool: string, count: number): string =>
  many(count, (i) => `[[pools.${pool}.backends]]\naddress = "db${i}:1"`);

t.test('as many as there are rows, and not one more', async (t) => {
  t.strictSame(problemsOf(`[pools.p]\n${listeners(MAX_LISTENERS)}`), []);
  t.strictSame(problemsOf(`${listeners(MAX_LISTENERS + 1)}\n[pools.p]`), [
    '1:2: listeners: too many listeners (expected at most 4096; got 4097)',
  ]);
  t.strictSame(problemsOf(many(MAX_POOLS + 1, (i) => `[pools.p${i}]`)), [
    '1:2: pools: too many pools (expected at most 4096; got 4097)',
  ]);
  t.strictSame(problemsOf(backends('p', MAX_BACKENDS)), []);
  t.strictSame(problemsOf(`${backends('p', MAX_BACKENDS)}\n${backends('q', 1)}`), [
    '1:3: pools: too many backends in all pools (expected at most 16384; got 16385)',
  ]);
});

t.test('many listeners may lead to one large pool', async (t) => {
  t.strictSame(problemsOf(`${listeners(100)}\n${backends('p', 1_000)}`), []);
});
