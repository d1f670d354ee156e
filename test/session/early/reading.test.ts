/**
 * Stages in whatever number and order, and bytes in whatever pieces: what is found out, answered
 * and left over is the same as if all had come at once.
 */
import t from 'tap';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import {
  beginReading,
  type EarlyReading,
  lateCause,
  readOn,
} from '../../../src/session/early/reading.js';
import { type EarlyStage, type Facts, NEED_MORE } from '../../../src/session/early/stage.js';
import { seed } from '../../support/seed.js';

const CASES = 2_000;
const LIMIT = 200;

/** Toy stages, each known by its letter: it takes a line that begins with it, or nothing. */
interface Toy {
  readonly letter: string;
  /** Lines `letter?` before that are answered with the letter. */
  readonly asks: boolean;
}

const STAGE = { late: 'proxy-header-timeout', tooLarge: 'bad-proxy-header' } as const;

function toyStage({ letter, asks }: Toy, seen: string[]): EarlyStage {
  return {
    ...STAGE,
    read: (bytes, facts) => {
      const text = Buffer.from(bytes).toString('latin1');
      if (text === '') return NEED_MORE;
      if (text.startsWith('!')) return { kind: 'refuse', cause: 'bad-proxy-header' };
      if (!text.startsWith(letter)) return { kind: 'next', facts, consumed: 0 };
      const end = text.indexOf('\n');
      if (end < 0) return NEED_MORE;
      const found = withLine(facts, text.slice(0, end));
      if (asks && text.startsWith(`${letter}?`)) {
        return { kind: 'answer', bytes: Buffer.from(letter), facts: found, consumed: end + 1 };
      }
      seen.push(letter);
      return { kind: 'next', facts: found, consumed: end + 1 };
    },
  };
}

/** Facts carry the lines as TLVs of a header: they have to pass from stage to stage. */
function withLine({ proxied, ...facts }: Facts, line: string): Facts {
  const tlv = { type: 0xe0, value: Buffer.from(line) };
  const tlvs = [...(proxied?.tlvs ?? []), tlv];
  const header = { transport: 'stream', source: null, destination: null, tlvs } as const;
  return { ...facts, proxied: header };
}

function lines({ facts }: EarlyReading): string {
  return (facts.proxied?.tlvs ?? []).map(({ value }) => String(value)).join('|');
}

interface Told {
  readonly kind: string;
  readonly answers: string;
  readonly lines: string;
  readonly rest: string;
}

function play(toys: readonly Toy[], text: string, cuts: readonly number[], limit = LIMIT): Told {
  let reading = beginReading(toys.map((toy) => toyStage(toy, [])));
  let answers = '';
  for (const cut of cuts) {
    const bytes = Buffer.from(text.slice(0, Math.min(cut, limit)));
    const step = readOn(reading, bytes, limit);
    if (step.kind !== 'refuse') answers += step.answers.map(String).join('');
    if (step.kind !== 'need-more') {
      const rest = text.slice(step.reading.consumed);
      return { kind: step.kind, answers, lines: lines(step.reading), rest };
    }
    reading = step.reading;
  }
  return { kind: 'need-more', answers, lines: lines(reading), rest: text.slice(reading.consumed) };
}

function draw(random: Random): { readonly toys: readonly Toy[]; readonly text: string } {
  const toys = ['A', 'B', 'C']
    .filter(() => random.next() < 0.7)
    .map((letter) => ({ letter, asks: random.next() < 0.5 }));
  let text = '';
  for (const { letter, asks } of toys) {
    for (; asks && random.next() < 0.4; ) text += `${letter}?\n`;
    if (random.next() < 0.8) text += `${letter}${'x'.repeat(below(random, 9))}\n`;
  }
  return { toys, text: text + (['', '!', 'payload', 'A', 'C?'][below(random, 5)] ?? '') };
}

t.test('pieces do not matter', async (t) => {
  let differ = 0;
  for (let at = 0; at < CASES; at++) {
    const random = seededRandom(seed + at);
    const { toys, text } = draw(random);
    const whole = play(toys, text, [text.length]);
    const each = play(
      toys,
      text,
      [...text].map((_, index) => index + 1),
    );
    const some = [...text].map((_, index) => index + 1).filter(() => random.next() < 0.3);
    const drawn = play(toys, text, [...some, text.length]);
    // A refusal does not show what was answered in the same breath.
    const told = (one: Told) => (one.kind === 'refuse' ? { ...one, answers: '' } : one);
    for (const other of text === '' ? [] : [each, drawn]) {
      if (JSON.stringify(told(other)) === JSON.stringify(told(whole))) continue;
      differ++;
      t.same(told(other), told(whole), `SEED=${seed + at}: ${JSON.stringify(text)}`);
    }
  }
  t.equal(differ, 0);
});

t.test('a reading that is full and not content ends, whichever stage has the turn', async (t) => {
  const toys = [
    { letter: 'A', asks: false },
    { letter: 'B', asks: true },
  ];
  t.match(play(toys, 'Ax\nBxxxxxxxx', [3, 5, 8], 8), { kind: 'refuse', lines: 'Ax' });
  t.match(play(toys, 'Ax\nB?\nBx\nrest', [8], 8), { kind: 'refuse', lines: 'Ax|B?' });
  t.match(play(toys, 'Ax\nB?\nBx\nrest', [8], 9), { kind: 'need-more', answers: 'B' });
  t.match(play(toys, 'Ax\nB\nrest', [5], 5), { kind: 'done', lines: 'Ax|B', rest: 'rest' });
});

t.test('without a stage nothing is asked for', async (t) => {
  t.equal(readOn(beginReading([]), new Uint8Array(0), LIMIT).kind, 'done');
});

t.test('a client that is late is refused by the stage whose turn it was', async (t) => {
  const late: EarlyStage = { ...STAGE, late: 'untrusted-proxy', read: () => NEED_MORE };
  const first = toyStage({ letter: 'A', asks: false }, []);
  const step = readOn(beginReading([first, late]), Buffer.from('A\nrest'), LIMIT);
  t.equal(lateCause(step.reading), 'untrusted-proxy');
  t.equal(lateCause(beginReading([first, late])), 'proxy-header-timeout');
});
