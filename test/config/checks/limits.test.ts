/** Rows in shared memory are laid out once, at start, for so many and no more. */
import t from 'tap';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_SERIES } from '../../../src/core/limits.js';
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
    '1:2: listeners: too many listeners (expected at most 256; got 257)',
  ]);
  t.strictSame(problemsOf(many(MAX_POOLS + 1, (i) => `[pools.p${i}]`)), [
    '1:2: pools: too many pools (expected at most 256; got 257)',
  ]);
  t.strictSame(problemsOf(backends('p', MAX_BACKENDS)), []);
  t.strictSame(problemsOf(`${backends('p', MAX_BACKENDS)}\n${backends('q', 1)}`), [
    '1:3: pools: too many backends in all pools (expected at most 2048; got 2049)',
  ]);
});

t.test('every listener has a row for each of its backends and one for none', async (t) => {
  const each = MAX_SERIES / 64;
  t.strictSame(problemsOf(`${listeners(64)}\n${backends('p', each - 1)}`), []);
  t.strictSame(problemsOf(`${listeners(64)}\n${backends('p', each)}`), [
    `1:2: listeners: too many pairs of listener and backend (expected at most ${MAX_SERIES}; got ${64 * (each + 1)})`,
  ]);
});
