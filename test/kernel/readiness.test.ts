/** A thread's own waiting for descriptors: what one that waited throws is its own affair. */
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { closeDescriptor, createBell, ringBell } from '../../src/kernel/descriptor.js';
import { Readiness } from '../../src/kernel/readiness.js';
import { POLLIN } from '../../src/kernel/submissions.js';
import { eventually } from '../support/deadline.js';
import { testKernel } from '../support/uring_engine.js';

const kernel = testKernel();

interface Scene {
  readonly readiness: Readiness;
  readonly looked: string[];
  readonly defects: unknown[];
  /** Notes its name when it looks; one named `broken` throws then. */
  readonly looker: (name: string) => { look(): void };
}

function scene(t: Test): Scene {
  const [looked, defects]: [string[], unknown[]] = [[], []];
  const opened = Readiness.open(kernel, (error) => defects.push(error));
  const readiness = present(opened.ok ? opened.value : null, 'io_uring works on this machine');
  t.teardown(() => readiness.close());
  const looker = (name: string): { look(): void } => ({
    look: () => {
      looked.push(name);
      if (name === 'broken') throw new Error('a look that breaks');
    },
  });
  return { readiness, looked, defects, looker };
}

function heard(looked: readonly string[], count: number): Promise<true> {
  return eventually('the looks', async () => (looked.length >= count ? true : undefined));
}

t.test(
  'a look that breaks keeps no other of its turn from looking, nor of a later one',
  async (t) => {
    const { readiness, looked, defects, looker } = scene(t);
    for (const name of ['one', 'broken', 'another']) readiness.soon(looker(name));
    await heard(looked, 3);
    t.same(looked, ['one', 'broken', 'another']);
    t.match(defects, [{ message: 'a look that breaks' }]);
    readiness.soon(looker('later'));
    await heard(looked, 4);
    t.equal(looked.at(-1), 'later');
  },
);

t.test('the same for those that wait for descriptors', async (t) => {
  const { readiness, looked, defects, looker } = scene(t);
  const names = ['one', 'broken', 'another'];
  const bells = names.map(() => {
    const bell = createBell(kernel);
    return present(bell.ok ? bell.value : null, 'an eventfd can be had');
  });
  t.teardown(() => {
    for (const bell of bells) closeDescriptor(kernel, bell);
  });
  for (const round of [1, 2]) {
    for (const [at, bell] of bells.entries()) {
      readiness.watch(bell, POLLIN, looker(names[at] ?? ''));
    }
    // All in one turn; they stay rung.
    if (round === 1) for (const bell of bells) ringBell(kernel, bell);
    await heard(looked, round * names.length);
    t.same(looked.toSorted(), Array(round).fill(names).flat().toSorted());
    t.equal(defects.length, round);
  }
});
