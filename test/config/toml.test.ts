/** Text to tree, and syntax errors in words. */
import t from 'tap';
import { readToml, TOML_DATE, valueAt } from '../../src/config/toml.js';

const syntax = (text: string): string => {
  const outcome = readToml(text);
  if (outcome.ok) return 'good';
  const { line, column, problem, expected, got } = outcome.fault;
  return `${line}:${column} ${problem} (expected ${expected}; got ${got})`;
};

t.test('a syntax error names what was likely forgotten', async (t) => {
  const table = {
    'a = 5s\n':
      '1:6 not valid TOML (expected the end of the line; text, durations and sizes stand in quotes; got "s")',
    'a = auto':
      '1:5 not valid TOML (expected a value: a string in quotes, a number, true, false or a list; got "a")',
    'a = 1\nb\n': '2:2 not valid TOML (expected "=" and a value; got the end of the line)',
    'a = "x\n':
      '1:7 not valid TOML (expected the closing quote, or an escape; got the end of the line)',
    "a = 'x\n": '1:7 not valid TOML (expected the closing quote; got the end of the line)',
    "a = '''x": '1:9 not valid TOML (expected the closing quotes; got the end of the file)',
    'a = [1, 2\n':
      '2:1 not valid TOML (expected "," or the closing bracket; got the end of the file)',
    '[a\n': '1:3 not valid TOML (expected the closing bracket; got the end of the line)',
    'a = {b = 1 c = 2}': '1:12 not valid TOML (expected "," or the closing bracket; got "c")',
    'a = 1 ]': '1:7 not valid TOML (expected the end of the line; got "]")',
    '= 5': '1:1 not valid TOML (expected a key, a header in brackets or a comment; got "=")',
    'a. = 3': '1:4 not valid TOML (expected a key; got "=")',
    'a = 0x': '1:7 not valid TOML (expected the rest of a value; got the end of the file)',
    'a = 1\r\na = "secret"\r\n':
      '2:1 defined twice (expected each key and each header once; got "a")',
    '[a]\n[b]\n[a]\n': '3:1 defined twice (expected each key and each header once; got "[a]")',
    'a = 1\na.b = 1': '2:1 defined twice (expected each key and each header once; got "a.b")',
    'a = "\\q"':
      '1:6 unknown escape (expected a TOML escape; single quotes leave backslashes alone; got "\\\\q")',
    'a = 9007199254740993':
      '1:5 integer too large (expected at most 9007199254740991; got "9007199254740993")',
    'a = 2026-13-01': '1:5 no such date or time (expected a string in quotes; got "2026-13-01")',
    [`a = ${'['.repeat(40)}`]: `1:37 nested too deeply (expected at most 32 levels; got "[[[[[[[[")`,
  };
  for (const [text, expected] of Object.entries(table)) t.equal(syntax(text), expected, text);
});

t.test('dates are no strings', async (t) => {
  const outcome = readToml(
    'a = 2026-01-01\nb = 2026-01-01T00:00:00Z\nc = 07:32:00\nd = "2026-01-01"',
  );
  const { a, b, c, d } = outcome.ok ? outcome.tree : {};
  t.strictSame([a, b, c, d], [TOML_DATE, TOML_DATE, TOML_DATE, '2026-01-01']);
});

t.test('a value is found by its path, and nothing is found in what a value inherits', async (t) => {
  const outcome = readToml('a.b = [{ c = 1 }]\nd = "text"');
  const tree = outcome.ok ? outcome.tree : {};
  t.equal(valueAt(tree, ['a', 'b', 0, 'c']), 1);
  t.equal(valueAt(tree, ['a', 'b', 1, 'c']), undefined);
  t.equal(valueAt(tree, ['a', 'b', 'length', 'x']), undefined);
  t.equal(valueAt(tree, ['constructor']), undefined);
  t.equal(valueAt(tree, ['d', 'length']), undefined);
});
