/** Lines of a list are the same wherever the parts end in which its file was read. */
import t from 'tap';
import { addLines, MAX_LINE_BYTES } from '../../src/control/access_lines.js';
import { AccessBlocks, AccessList } from '../../src/core/access_table.js';
import { ipBytes } from '../../src/core/ip_bytes.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { atOnce } from '../../src/core/stretches.js';
import { seed } from '../support/seed.js';

interface Outcome {
  readonly problem: string | null;
  readonly count: number;
  readonly refused: readonly string[];
}

const ASKED = ['10.0.0.1', '10.0.0.2', '10.9.0.1', '2001:db8::1', '2001:db9::1'];

function outcome(parts: readonly Buffer[]): Outcome {
  const blocks = new AccessBlocks();
  const problem = atOnce(addLines(parts, 'deny', blocks));
  const list = new AccessList(atOnce(blocks.table(1, { others: 'allowed', dryRun: false })));
  const refused = ASKED.filter((address) => {
    return list.refusal(ipBytes(address) ?? Buffer.alloc(4)) !== null;
  });
  return { problem, count: blocks.count, refused };
}

function drawParts(random: Random, bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + below(random, below(random, 4) === 0 ? bytes.length : 4);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

const TEXTS: readonly (readonly [string | Buffer, Outcome])[] = [
  ['', { problem: null, count: 0, refused: [] }],
  ['# nobody\n\n  \r\n', { problem: null, count: 0, refused: [] }],
  ['10.0.0.1\n10.9.0.0/16 # a net', { problem: null, count: 2, refused: ['10.0.0.1', '10.9.0.1'] }],
  [
    '\ufeff10.0.0.1\r\n2001:db8::/32\r\n',
    { problem: null, count: 2, refused: ['10.0.0.1', '2001:db8::1'] },
  ],
  [
    '10.0.0.1\n\n10.0.0.300\n10.0.0.2\n',
    { problem: ':3: 10.0.0.300: not an address or a block', count: 1, refused: ['10.0.0.1'] },
  ],
  [
    '10.0.0.1\n10.0.0.2/24',
    {
      problem: ':2: 10.0.0.2/24: bits beyond the prefix; the block is 10.0.0.0/24',
      count: 1,
      refused: ['10.0.0.1'],
    },
  ],
  [
    '10.0.0.1\r10.0.0.2\r',
    { problem: ':1: 10.0.0.1?10.0.0.2: not an address or a block', count: 0, refused: [] },
  ],
  [
    Buffer.from('\ufeff10.0.0.1\n', 'utf16le'),
    { problem: ':1: it is text in UTF-16; write it in UTF-8', count: 0, refused: [] },
  ],
  [
    `#${'x'.repeat(MAX_LINE_BYTES - 1)}\n10.0.0.1`,
    { problem: null, count: 1, refused: ['10.0.0.1'] },
  ],
  [
    `10.0.0.1\n#${'x'.repeat(MAX_LINE_BYTES)}\n`,
    { problem: `:2: longer than ${MAX_LINE_BYTES} bytes`, count: 1, refused: ['10.0.0.1'] },
  ],
  [
    `10.0.0.1\n${'/'.repeat(MAX_LINE_BYTES + 1)}`,
    { problem: `:2: longer than ${MAX_LINE_BYTES} bytes`, count: 1, refused: ['10.0.0.1'] },
  ],
];

t.test('a list is the same in whatever parts it comes', async (t) => {
  const random = seededRandom(seed);
  for (const [text, wanted] of TEXTS) {
    const bytes = Buffer.from(text);
    t.same(outcome([bytes]), wanted);
    for (let round = 0; round < 20; round++) {
      t.same(outcome(drawParts(random, bytes)), wanted, `SEED=${seed}`);
    }
  }
});
