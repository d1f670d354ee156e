/** Equality of plain data. */
import t from 'tap';
import { sameValue } from '../../src/core/same_value.js';

t.test('plain data is equal by content', async (t) => {
  const make = () => ({ a: [1, { b: null }], c: Uint8Array.of(1, 2), d: 'x', e: true });
  t.ok(sameValue(make(), make()));
  t.ok(sameValue({ a: 1, b: 2 }, { b: 2, a: 1 }));
  t.ok(sameValue(Number.NaN, Number.NaN));
});

t.test('every difference is seen', async (t) => {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [1, 2],
    [1, '1'],
    [null, {}],
    [null, undefined],
    [[1], [1, 2]],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [{ a: undefined }, {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [Uint8Array.of(1), Uint8Array.of(2)],
    [Uint8Array.of(1), Uint8Array.of(1, 2)],
    [Uint8Array.of(1), [1]],
  ];
  for (const [a, b] of pairs) {
    t.notOk(sameValue(a, b), `${JSON.stringify(a)} ${JSON.stringify(b)}`);
    t.notOk(sameValue(b, a));
  }
});
