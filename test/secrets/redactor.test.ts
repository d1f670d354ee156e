/** Whatever a server makes of a secret that it was sent, no result of a probe shows any of it. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { present } from '../../src/core/assert.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { published } from '../../src/health/probes/publish.js';
import { quoted } from '../../src/secrets/quote.js';
import { Redactor } from '../../src/secrets/redactor.js';
import { leaksOf } from '../support/leaks.js';
import { seed } from '../support/seed.js';

const ROUNDS = 2_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const SPECIAL = ['', '', 'ä', '/', '+', '"', '\\', "'", '&', ' ', '%', '語', '\u0007', '='];

/** What servers do with what they got. */
const MANNERS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'as bytes': (text) => Buffer.from(text).toString('latin1'),
  'in capitals': (text) => text.toUpperCase(),
  'in base64': (text) => Buffer.from(text).toString('base64'),
  'in base64 for URLs': (text) => Buffer.from(text).toString('base64url'),
  'in hexadecimal': (text) => Buffer.from(text).toString('hex'),
  'in capital hexadecimal': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'for a URL': (text) => encodeURIComponent(text),
  'for a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  'as JSON': (text) => JSON.stringify(text),
  twice: (text) => `${text}${text}`,
  'cut behind': (text) => text.slice(0, -3),
  'cut before': (text) => text.slice(3),
};

function pick<T>(random: Random, all: readonly T[]): T {
  return present(all[below(random, all.length)], 'a choice');
}

t.test(`nothing of a secret is shown, however it comes back (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const letters = (count: number): string =>
    Array.from({ length: count }, () => pick(random, [...LETTERS])).join('');
  for (let round = 0; round < ROUNDS; round++) {
    const canary = letters(12 + below(random, 12));
    const special = pick(random, SPECIAL);
    const secret = pick(random, [
      canary,
      `${special}${canary}`,
      `${canary}${special}${letters(3)}`,
    ]);
    const redactor = new Redactor();
    if (below(random, 2) === 0) redactor.learn(secret);
    else redactor.learnWords(`AUTH default ${canary}\r\n`);
    const [name, manner] = pick(random, Object.entries(MANNERS));
    // So that the cut of the text falls everywhere in the secret.
    const padding = '.'.repeat(pick(random, [0, below(random, 180), 2_000 + below(random, 60)]));
    const said = `${padding}${manner(`u:${canary} ${secret}`)}`;
    const { detail } = published(
      {
        ok: false,
        failure: 'wrong-answer',
        detail: `got "${quoted(below(random, 2) === 0 ? said : Buffer.from(said))}"`,
      },
      redactor,
    ) as { readonly detail: string };
    const leaks = leaksOf(canary, detail);
    if (leaks.length > 0) t.fail(`round ${round}, ${name}`, { secret, detail, leaks });
  }
  t.pass();
});

t.test('our own words stay, and a text without a secret too', async (t) => {
  const redactor = new Redactor();
  redactor.learn('refused');
  redactor.learnWords('AUTH hunter2\r\nPING\r\n');
  const shown = (detail: string): string => {
    const result = published({ ok: false, failure: 'not-ready', detail }, redactor);
    return result.ok ? '' : result.detail;
  };
  t.equal(shown('connection refused'), 'connection refused');
  t.equal(
    shown(`got "${quoted("-ERR unknown command 'PING', args 'hunter2', AUTH first")}"`),
    `got "-ERR unknown command 'PING', args '***', AUTH first"`,
  );
  t.equal(shown(`"${quoted('a\ue001b\ue000c\r\n')}"`), '"a.b.c.."', 'marks cannot be forged');
  t.equal(shown(quoted('x'.repeat(500))), `${'x'.repeat(160)}…`);
});

t.test('digests of a secret are hidden too: they can be guessed at leisure', async (t) => {
  const redactor = new Redactor();
  redactor.learn('swordfish');
  for (const name of ['md5', 'sha1', 'sha256']) {
    const digest = createHash(name).update('swordfish').digest('hex');
    t.equal(redactor.hide(`user on #${digest} off`), 'user on #*** off');
  }
});

t.test('what was learnt last stays known, and what is known has a limit', async (t) => {
  const redactor = new Redactor();
  for (let i = 0; i < 1_000; i++) redactor.learn(`password-${i}-${'x'.repeat(100)}`);
  t.equal(redactor.hide(`password-999-${'x'.repeat(100)}`), '***');
});

t.test('hiding takes no time that a server could make felt', async (t) => {
  const redactor = new Redactor();
  for (let i = 0; i < 64; i++) redactor.learn(`${i}`.repeat(300));
  const result = {
    ok: false,
    failure: 'wrong-answer',
    detail: quoted('0'.repeat(65_536)),
  } as const;
  const started = performance.now();
  published(result, redactor);
  const tookMs = performance.now() - started;
  t.ok(tookMs < 1_000, `${Math.round(tookMs)} ms`);
});
