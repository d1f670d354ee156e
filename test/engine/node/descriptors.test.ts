/** When the engine looks for a free descriptor, and when it trusts that there is one. */
import t from 'tap';
import { DescriptorWatch, exhaustedErrno } from '../../../src/engine/node/descriptors.js';

t.test('there is a descriptor left here', async (t) => {
  t.equal(exhaustedErrno(), null);
});

t.test('without a limit of the process there are looks still', async (t) => {
  t.ok(looksAt(200_000, Number.POSITIVE_INFINITY) > 1);
});

t.test('far from the limit most sockets go without a look', async (t) => {
  const looks = looksAt(1_000, 20_000);
  t.ok(looks >= 1 && looks < 10, `${looks} looks`);
});

t.test('near the limit each socket is looked at', async (t) => {
  t.equal(looksAt(1_000, 100), 1_000);
});

t.test('without a known limit each socket is looked at', async (t) => {
  t.equal(looksAt(1_000, 0), 1_000);
});

t.test('a look that finds none gives the errno', async (t) => {
  t.equal(new DescriptorWatch(0, () => 'EMFILE').exhausted(), 'EMFILE');
});

function looksAt(sockets: number, limit: number): number {
  let looks = 0;
  const watch = new DescriptorWatch(limit, () => {
    looks++;
    return null;
  });
  for (let i = 0; i < sockets; i++) watch.exhausted();
  return looks;
}
