/** Where every key of a text stands. */
import t from 'tap';
import type { Path } from '../../src/config/path.js';
import { indexPositions } from '../../src/config/positions.js';
import { readToml } from '../../src/config/toml.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { TomlWriter } from '../support/toml_writer.js';

const place = (text: string, path: Path): string => {
  const at = indexPositions(text).at(path);
  return at === undefined ? 'nowhere' : `${at.line}:${at.column}`;
};

t.test('headers, keys, elements and keys of inline tables have a place', async (t) => {
  const text = [
    'top = 1', // 1
    '[pools.pg]', // 2
    '  hash = { size = 1, "bal ance" = 2 }', // 3
    'health.probe = "x" # not.this = 1', // 4
    "'quo.ted' = [", // 5
    '  "a", # comment ]', // 6
    '  ["b", { c = 1 }],', // 7
    ']', // 8
    '[[pools.pg.backends]]', // 9
    'address = 1', // 10
    '[[ pools . pg . backends ]]', // 11
    'address = 2', // 12
    '[pools.pg.backends.sub]', // 13
    'x = 1', // 14
    '[pools]', // 15
    'y = 1', // 16
  ].join('\n');
  const table: readonly (readonly [Path, string])[] = [
    [['top'], '1:1'],
    [['pools', 'pg'], '2:8'],
    [['pools', 'pg', 'hash'], '3:3'],
    [['pools', 'pg', 'hash', 'size'], '3:12'],
    [['pools', 'pg', 'hash', 'bal ance'], '3:22'],
    [['pools', 'pg', 'health'], '4:1'],
    [['pools', 'pg', 'health', 'probe'], '4:8'],
    [['pools', 'pg', 'quo.ted'], '5:1'],
    [['pools', 'pg', 'quo.ted', 0], '6:3'],
    [['pools', 'pg', 'quo.ted', 1], '7:3'],
    [['pools', 'pg', 'quo.ted', 1, 1, 'c'], '7:11'],
    [['pools', 'pg', 'backends'], '9:12'],
    [['pools', 'pg', 'backends', 0], '9:12'],
    [['pools', 'pg', 'backends', 0, 'address'], '10:1'],
    [['pools', 'pg', 'backends', 1], '11:17'],
    [['pools', 'pg', 'backends', 1, 'address'], '12:1'],
    [['pools', 'pg', 'backends', 1, 'sub'], '13:20'],
    [['pools', 'pg', 'backends', 1, 'sub', 'x'], '14:1'],
    [['pools'], '15:2'],
    [['pools', 'y'], '16:1'],
    [['not'], 'nowhere'],
  ];
  for (const [path, expected] of table) t.equal(place(text, path), expected, path.join('.'));
});

t.test('no string hides what comes after it', async (t) => {
  const strings = [
    '"a # b"',
    '"quote \\" # and [x]"',
    '"backslash \\\\"',
    "'c:\\'",
    '""',
    "''",
    '""""""',
    '"""\n[not]\nx = "1"\n\\""" not the end \\\\"""',
    '"""two quotes at the end"""""',
    "'''\n[not]'''",
    "''''quoted''''",
    '[ "]", \'}\' ]',
    '1979-05-27 07:32:00',
    '{ a = "}", b = [ "]" ] }',
  ];
  for (const string of strings) {
    const text = `x = ${string}\nafter = 1\n`;
    t.ok(readToml(text).ok, `the library reads ${string}`);
    const line = string.split('\n').length + 1;
    t.equal(place(text, ['after']), `${line}:1`, string);
    t.equal(place(text, ['not']), 'nowhere');
  }
});

t.test('quotes before the end of a multi-line string belong to it', async (t) => {
  t.equal(place('x = ["""a""""", 1]', ['x', 1]), '1:17');
  t.equal(place("x = ['''a''''', 1]", ['x', 1]), '1:17');
});

t.test('lines end with LF or CRLF, and a byte order mark counts as nothing', async (t) => {
  t.equal(place('a = 1\r\n\r\n[b]\r\nc = 1\r\n', ['b', 'c']), '4:1');
  t.ok(readToml('\uFEFFa = 1').ok);
  t.equal(place('\uFEFFa = 1\nb = 1', ['b']), '2:1');
});

t.test('a quoted key is found by its name', async (t) => {
  const names = {
    '"a\\tb"': 'a\tb',
    '"\\u00e9\\x41"': 'éA',
    '"\\U0001F600"': '😀',
    "'\\t'": '\\t',
    '""': '',
  };
  for (const [written, name] of Object.entries(names)) {
    t.ok(readToml(`${written} = 1`).ok);
    t.equal(place(`${written} = 1`, [name]), '1:1', written);
  }
});

t.test('what has no place of its own is near the table around it', async (t) => {
  const positions = indexPositions('[a]\n[a.b]\nc = [1]\n');
  t.strictSame(positions.near(['a', 'b', 'c', 0]), { line: 3, column: 6 });
  t.strictSame(positions.near(['a', 'b', 'missing']), { line: 2, column: 4 });
  t.strictSame(positions.near(['x', 'y']), { line: 1, column: 1 });
});

t.test('text that is not TOML neither throws nor hangs', async (t) => {
  const pieces = [
    '[',
    ']',
    '[[',
    '"',
    "'",
    '"""',
    "'''",
    '=',
    ',',
    '{',
    '}',
    '\n',
    '.',
    '#',
    'a',
    '\\',
    ' ',
  ];
  const random = seededRandom(seed);
  for (let round = 0; round < 500; round++) {
    const words = Array.from(
      { length: 20 },
      () => pieces[Math.floor(random.next() * pieces.length)],
    );
    indexPositions(words.join(''));
  }
  t.pass(`SEED=${seed}`);
});

t.test(`every key that a writer placed is found there (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const writer = new TomlWriter(random);
    const { text, places } = writer.document();
    const read = readToml(text);
    if (!read.ok) return t.fail(`the writer writes TOML: ${JSON.stringify(read.fault)}`, { text });
    const positions = indexPositions(text);
    const wrong = places.filter(({ path, line, column }) => {
      const found = positions.at(path);
      return found?.line !== line || found.column !== column;
    });
    if (wrong.length > 0) return t.strictSame(wrong, [], { text });
  }
  return t.pass('100 documents');
});
