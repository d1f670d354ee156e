/** A checker that goes on from what another one knew, of whichever version that was. */
import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import type { KnownBefore } from '../../src/health/checker.js';
import { knownRecord, readKnown } from '../../src/health/known_text.js';
import type { HealthTarget } from '../../src/health/target.js';
import { seed } from '../support/seed.js';
import { REFUSED, target, World } from './fake_probes.js';

t.comment(`SEED=${seed}`);

const world = (): World => new World(seededRandom(seed));

/** As it comes over a socket. */
function told(w: World, key: string): Record<string, unknown> {
  const known = w.checker.knownOf(key);
  if (known === null) throw new Error(`${key} is watched`);
  return JSON.parse(JSON.stringify(knownRecord(known)));
}

/** Another process, whose clock is that of `w`, goes on with `targets`. */
async function next(w: World, targets: readonly HealthTarget[]): Promise<World> {
  const records = new Map(targets.map(({ key }) => [key, told(w, key)]));
  const known: KnownBefore = (key) => readKnown(records.get(key) ?? {});
  w.checker.pause();
  const other = world();
  await other.time.pass(w.time.nowMs());
  other.checker.update(targets, known);
  return other;
}

t.test('the next attempt is when it was due, and what stands is not reported again', async (t) => {
  const w = world();
  const targets = [1, 2].map((port) => target(port));
  w.set(2, REFUSED);
  w.checker.update(targets);
  await w.time.pass(11_300);
  const [before] = w.checker.snapshot();
  const other = await next(w, targets);
  t.same(other.checker.snapshot(), w.checker.snapshot());
  for (const port of [1, 2])
    other.set(port, port === 2 ? REFUSED : { ok: true, share: 1, note: '' });
  await other.time.pass(5_000);
  for (const port of [1, 2]) {
    const gap = port === 1 ? 2_000 : 5_000;
    t.equal(other.starts(port)[0], (w.starts(port).at(-1) ?? 0) + gap, `of ${port}`);
  }
  t.same(other.told, []);
  t.equal(other.checker.healthOf('b1')?.attempts, (before?.attempts ?? 0) + other.starts(1).length);
});

t.test('failures in a row go on where they were', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(4_000);
  w.set(1, REFUSED);
  while (w.checker.healthOf('b1')?.state.kind !== 'falling') await w.time.pass(10);
  await w.time.pass(500);
  t.match(w.checker.healthOf('b1')?.state, { kind: 'falling', failures: 2 });
  const other = await next(w, [target(1)]);
  other.set(1, REFUSED);
  await other.time.pass(510);
  t.same(other.told, ['b1 down: refused'], 'the third one in a row');
});

t.test('a target that is asked just now is not asked again before its interval', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(4_000);
  w.set(1, null);
  const before = w.starts(1).length;
  while (w.starts(1).length === before) await w.time.pass(10);
  const other = await next(w, [target(1)]);
  await other.time.pass(2_000);
  t.equal(other.starts(1)[0], (w.starts(1).at(-1) ?? 0) + 2_000);
});

t.test('another probe is asked at once, and the verdict stands until it answers', async (t) => {
  const w = world();
  w.set(1, REFUSED);
  w.checker.update([target(1)]);
  await w.time.pass(5_000);
  const records = told(w, 'b1');
  for (const change of [{ port: 9 }, { probe: { kind: 'redis' } as never }]) {
    const other = world();
    other.set(9, REFUSED);
    other.set(1, REFUSED);
    await other.time.pass(5_000);
    other.checker.update([target(1, change)], () => readKnown(records));
    t.equal(other.checker.healthOf('b1')?.verdict, 'down');
    await other.time.pass(55);
    t.equal(other.attempts.length, 1);
    t.same(other.told, []);
  }
});

t.test('an interval that is shorter now does not wait for the longer one', async (t) => {
  const w = world();
  w.checker.update([target(1, { intervalMs: 600_000 })]);
  await w.time.pass(1_000);
  const records = told(w, 'b1');
  const other = world();
  await other.time.pass(1_000);
  other.checker.update([target(1, { intervalMs: 2_000 })], () => readKnown(records));
  await other.time.pass(2_010);
  t.ok(other.attempts.length >= 1);
});

t.test('where nothing is probed any more a backend is up', async (t) => {
  const w = world();
  w.set(1, REFUSED);
  w.checker.update([target(1)]);
  await w.time.pass(5_000);
  const records = told(w, 'b1');
  const other = world();
  other.checker.update([target(1, { probe: { kind: 'none' } })], () => readKnown(records));
  t.same(other.told, ['b1 up: not-probed']);
});

t.test('a checker that pauses begins nothing, and makes up for it when it goes on', async (t) => {
  const w = world();
  w.checker.update([target(1)]);
  await w.time.pass(4_000);
  const before = w.attempts.length;
  w.checker.pause();
  await w.time.pass(4_000);
  t.equal(w.attempts.length, before);
  w.checker.resume();
  await w.time.pass(1);
  t.equal(w.attempts.length, before + 1);
  await w.time.pass(2_000);
  t.equal(w.attempts.length, before + 2);
});

t.test(
  'what makes no sense is not read, and words of another version are no nonsense',
  async (t) => {
    const w = world();
    w.set(1, REFUSED);
    w.checker.update([target(1)]);
    await w.time.pass(5_000);
    const good = told(w, 'b1');
    t.not(readKnown(good), null);
    const garbage: Record<string, unknown[]> = {
      state: ['bored', null, 7, 'up'],
      inARow: [-1, 0.5, '1', null, 1e300],
      verdict: ['up', 'sideways', null],
      ill: [-1, 'none'],
      sinceMs: ['yesterday', null, -1],
      detail: [null, 7],
      share: [0, 2, -1, '1'],
      last: [7, 'never', {}, { result: { ok: 'perhaps' }, durationMs: 1, atMs: 1 }],
      attempts: [null, -1],
      probe: [null, 7],
      startedMs: ['now'],
      dueMs: ['soon', -5],
    };
    for (const [name, values] of Object.entries(garbage)) {
      for (const value of values) {
        t.equal(readKnown({ ...good, [name]: value }), null, `${name}: ${JSON.stringify(value)}`);
      }
      const { [name]: _, ...without } = good;
      t.equal(readKnown(without), null, `without ${name}`);
    }
    const newer = { ...good, reason: 'of-tomorrow', mood: 'good' };
    t.match(readKnown(newer), { memory: { verdict: 'down', reason: 'wrong-answer' } });
  },
);
