/** Which of many ends get an access line. */
import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import type { AccessLevel } from '../../src/core/spec.js';
import { LineChooser } from '../../src/session/line_choice.js';

function chooser(level: AccessLevel): LineChooser {
  const lines = new LineChooser('tcp', seededRandom(7));
  lines.level = level;
  return lines;
}

/** What the lines of `count` sessions that went as they should say. */
function sample(lines: LineChooser, count: number): number[] {
  const choices = Array.from({ length: count }, () => lines.choose('finished', 0));
  return choices.filter((choice): choice is number => typeof choice === 'number');
}

t.test('one of a number of ends has a line, and the lines say how many had none', async (t) => {
  for (const oneOf of [1, 2, 10, 100]) {
    const lines = chooser({ oneOf });
    let told = 0;
    for (let block = 1; block <= 50; block++) {
      const own = sample(lines, oneOf);
      t.equal(own.length, 1);
      told += own.reduce((sum, leftOut) => sum + leftOut + 1, 0);
      t.ok(told > (block - 1) * oneOf && told <= block * oneOf);
    }
  }
});

t.test('which one of them is left to chance: turns of a strict order all come up', async (t) => {
  const lines = chooser({ oneOf: 4 });
  const places = new Set<number>();
  for (let end = 0; end < 400; end++) {
    if (lines.choose('finished', 0) !== 'no line') places.add(end % 4);
  }
  t.equal(places.size, 4);
});

t.test('an error has a line of its own, and takes no place in the sample', async (t) => {
  const lines = chooser({ oneOf: 10 });
  const first = sample(lines, 10);
  t.equal(lines.choose('backend-reset', 0), 'a line');
  t.equal(lines.choose('finished', 1), 'a line', 'a backend was dialled in vain');
  const second = sample(lines, 10);
  t.equal((first[0] ?? 0) + (second[0] ?? 0) < 20, true);
  t.equal(second.length, 1);
});

t.test('another rate begins anew, and loses none of those that were left out', async (t) => {
  const lines = chooser({ oneOf: 1_000_000 });
  t.same(sample(lines, 10), []);
  lines.level = { oneOf: 1 };
  t.same(sample(lines, 2), [10, 0]);
  lines.level = 'errors';
  t.same(sample(lines, 5), []);
  lines.level = 'all';
  t.equal(lines.choose('finished', 0), 'a line');
});
