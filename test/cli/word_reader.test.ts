import t from 'tap';
import { WordReader, type Words } from '../../src/cli/word_reader.js';

const reader = (words: Words, defaults: Words = {}): WordReader => new WordReader(words, defaults);

t.test('a word goes before its default', async (t) => {
  t.equal(reader({ a: 'x' }, { a: 'y' }).text('a'), 'x');
  t.equal(reader({}, { a: 'y' }).text('a'), 'y');
  t.equal(reader({}).text('a'), null);
});

t.test('good words give values and no problem', async (t) => {
  const words = reader({
    n: '7',
    x: '0.5',
    time: '250ms',
    one: 'b',
    list: 'a, b',
    each: ['1', '2'],
  });
  t.equal(words.whole('n', 0, 9), 7);
  t.equal(words.decimal('x', 0, 9), 0.5);
  t.equal(words.duration('time'), 250);
  t.equal(words.oneOf('one', ['a', 'b']), 'b');
  t.same(words.listOf('list', ['a', 'b', 'c']), ['a', 'b']);
  t.same(words.each('each', Number), [1, 2]);
  t.same(words.each('none', Number), []);
  t.same(words.problems, []);
});

t.test('every bad word is a problem that says what was expected', async (t) => {
  const words = reader({
    n: '7.5',
    big: '10',
    x: '-1',
    time: '250',
    one: 'z',
    list: 'a,z',
    each: ['1'],
  });
  words.whole('n', 0, 9);
  words.whole('big', 0, 9);
  words.decimal('x', 0, 9);
  words.duration('time');
  words.oneOf('one', ['a', 'b']);
  words.listOf('list', ['a', 'b']);
  words.each('each', () => 'two');
  words.decimal('missingOne', 0, 9);
  t.same(words.problems, [
    '--n: expected a whole number, got "7.5"',
    '--big: expected a number from 0 to 9, got "10"',
    '--x: expected a number from 0 to 9, got "-1"',
    '--time: expected a time such as 250ms or 20s, got "250"',
    '--one: expected a, b, got "z"',
    '--list: expected some of a, b, got "a,z"',
    '--each: expected two, got "1"',
    '--missing-one: expected a number from 0 to 9, got ""',
  ]);
});
