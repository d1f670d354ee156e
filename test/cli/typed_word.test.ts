import t from 'tap';
import { typedWord } from '../../src/cli/typed_word.js';

t.test('a typed word is read as a shell would pass it on', async (t) => {
  const words: readonly (readonly [raw: string, word: string])[] = [
    ['app/a', 'app/a'],
    ['app/\\*', 'app/*'],
    ["'app/*'", 'app/*'],
    ["'app/", 'app/'],
    ['"app/\\$a\\b', 'app/$a\\b'],
    ["a'\\'b", 'a\\b'],
    ['app/\\[::1\\]:5432', 'app/[::1]:5432'],
    ['--because="it is', '--because=it is'],
    ['\\', ''],
    ['', ''],
  ];
  for (const [raw, word] of words) t.equal(typedWord(raw), word, raw);
});
