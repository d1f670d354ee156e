/** Durations and sizes as a file has them. */
import t from 'tap';
import {
  DURATION_PATTERN,
  formatDuration,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from '../../src/config/quantity.js';

const NONE = [
  '',
  '5',
  ' 5s',
  '5 s',
  '5s ',
  '-5s',
  '+5s',
  '1.5s',
  '5S',
  '5sec',
  '1h30m',
  's',
  '5e3s',
];

t.test('a duration is a whole number and one of five units', async (t) => {
  const good = {
    '0s': 0,
    '250ms': 250,
    '5s': 5_000,
    '1m': 60_000,
    '1h': 3_600_000,
    '1d': 86_400_000,
  };
  for (const [text, ms] of Object.entries(good)) {
    t.equal(parseDuration(text), ms, text);
    t.match(text, new RegExp(DURATION_PATTERN));
  }
  for (const text of [...NONE, '5KiB', '5constructor', `${'9'.repeat(16)}s`]) {
    t.equal(parseDuration(text), null, text);
  }
});

t.test('a size is a whole number and one of four units', async (t) => {
  const good = { '0B': 0, '16B': 16, '64KiB': 65_536, '1MiB': 1_048_576, '2GiB': 2_147_483_648 };
  for (const [text, bytes] of Object.entries(good)) {
    t.equal(parseSize(text), bytes, text);
    t.match(text, new RegExp(SIZE_PATTERN));
  }
  for (const text of [...NONE, '5KB', '5kib', '5s', '64K']) t.equal(parseSize(text), null, text);
});

t.test('a formatted duration is the shortest text that reads as the same', async (t) => {
  const texts = {
    0: '0s',
    250: '250ms',
    1500: '1500ms',
    60000: '1m',
    90000: '90s',
    86400000: '1d',
  };
  for (const [ms, text] of Object.entries(texts)) {
    t.equal(formatDuration(Number(ms)), text);
    t.equal(parseDuration(text), Number(ms));
  }
});
