/** Overrides that cannot be written or read: tried again, reported once, and nothing is lost. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { keptText } from '../../src/control/desired/kept_text.js';
import type { Override } from '../../src/control/desired/override.js';
import { KeptOverrides } from '../../src/control/kept_overrides.js';
import { err, ok } from '../../src/core/result.js';
import { FakeTime } from '../support/fake_time.js';
import { tempFolder } from '../support/places.js';
import { Events } from './fixtures.js';

const CHANGES = 50;

t.test('however many writes fail, one is tried again, and it ends the trying', async (t) => {
  const folder = join(tempFolder(t), 'state');
  const time = new FakeTime();
  const log = new Events();
  const kept = new KeptOverrides(folder, { log, timers: time, lock: () => null });
  // Whichever user runs this, nothing can be written below a file.
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  for (let i = 0; i < CHANGES; i++) {
    kept.keep([]);
    await kept.settled();
  }
  t.type(await kept.settled(), 'string', 'it says why');
  t.equal(time.pending, 1);
  await time.pass(30_000);
  t.type(await kept.settled(), 'string');
  t.equal(time.pending, 1, 'tried again');
  t.match(kept.trouble, /^overrides are not kept, and a restart would lose them: .*ENOTDIR/);
  rmSync(folder);
  mkdirSync(folder);
  await time.pass(30_000);
  t.equal(await kept.settled(), null);
  t.equal(time.pending, 0, 'it is written');
  t.equal(kept.trouble, null);
  t.same(log.names, ['state-not-written', 'state-written'], 'reported once');
});

function drained(backend: string): Override {
  return {
    pool: 'app',
    backend,
    kind: 'drain',
    value: 'drained',
    replaced: 'ready',
    by: 'ada',
    because: '',
    sinceWallMs: 0,
    untilWallMs: null,
  };
}

const FILE = 'overrides.json';
const GARBAGE = '{ "version": 1, "over';

/** A process that finds `text`. */
function found(t: Test, text: string, folder = tempFolder(t)) {
  writeFileSync(join(folder, FILE), text);
  const [log, time] = [new Events(), new FakeTime()];
  const kept = new KeptOverrides(folder, { log, timers: time, lock: () => null });
  const content = (name = FILE): string => readFileSync(join(folder, name), 'utf8');
  return { folder, log, time, kept, content };
}

/** Whichever user runs this: a call of `name` fails until it may be done. */
function forbidden(t: Test, name: 'open' | 'rename' | 'copyFile') {
  const original = promises[name] as (...asked: unknown[]) => Promise<unknown>;
  const restore = (): void => {
    Object.assign(promises, { [name]: original });
    syncBuiltinESMExports();
  };
  const forbid = async (...asked: unknown[]): Promise<unknown> => {
    const isIts = String(asked[0]).endsWith(FILE);
    if (isIts) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    return original(...asked);
  };
  Object.assign(promises, { [name]: forbid });
  syncBuiltinESMExports();
  t.teardown(restore);
  return restore;
}

t.test('a file that cannot be read stays as it is, and counts when it can be', async (t) => {
  const { folder, log, time, kept, content } = found(t, keptText([drained('b0'), drained('b1')]));
  const text = content();
  const allow = forbidden(t, 'open');
  t.same(await kept.load(null), []);
  t.match(kept.trouble, /process before are not in force.*EACCES/);
  const ordered = { ...drained('b1'), kind: 'maintain', value: 'maintenance' } as const;
  let now: readonly Override[] = [];
  const taken = new Promise<void>((resolve) => {
    kept.follow({
      override: async (merge) => {
        const merged = merge({ overrides: now });
        if (!merged.ok) return merged;
        now = merged.value;
        kept.keep(now);
        resolve();
        return ok(null);
      },
    });
  });
  now = [ordered];
  kept.keep(now);
  t.match(await kept.settled(), /EACCES/, 'the caller gets it');
  await time.pass(30_000);
  t.match(await kept.settled(), /EACCES/);
  t.equal(content(), text);
  t.same(readdirSync(folder), [FILE]);
  t.same(log.names, ['state-unread'], 'reported once');
  allow();
  await time.pass(30_000);
  await taken;
  t.same(now, [drained('b0'), ordered], 'what was ordered since wins');
  t.equal(await kept.settled(), null);
  t.equal(content(), keptText(now));
  t.equal(kept.trouble, null);
  t.same(log.names, ['state-unread', 'state-read']);
});

t.test('a second file that makes no sense does not replace the first one', async (t) => {
  const first = found(t, GARBAGE);
  await first.kept.load(null);
  const second = found(t, 'other', first.folder);
  await second.kept.load(null);
  t.equal(second.content(`${FILE}.unreadable`), GARBAGE);
  t.equal(second.content(`${FILE}.unreadable.2`), 'other');
});

t.test('what cannot be put aside is not overwritten', async (t) => {
  const { folder, log, kept, content } = found(t, GARBAGE);
  const allow = forbidden(t, 'rename');
  t.same(await kept.load(null), []);
  t.match(kept.trouble, /could not be put aside: EACCES/);
  kept.keep([drained('b0')]);
  t.match(await kept.settled(), /could not be put aside: EACCES/);
  t.equal(content(), GARBAGE);
  t.notOk(existsSync(join(folder, `${FILE}.unreadable`)));
  allow();
  kept.keep([drained('b0')]);
  t.equal(await kept.settled(), null);
  t.equal(content(`${FILE}.unreadable`), GARBAGE);
  t.equal(content(), keptText([drained('b0')]));
  t.same(log.names, ['state-unreadable', 'state-unreadable', 'state-written']);
});

t.test('a file with a record of another version is copied before it is replaced', async (t) => {
  const text = keptText([drained('b0')]).replace('[', '[ { "kind": "later" },');
  const { folder, log, kept, content } = found(t, text);
  const allow = forbidden(t, 'copyFile');
  t.same(await kept.load(null), [drained('b0')]);
  t.same(readdirSync(folder), [FILE], 'a start alone copies nothing');
  kept.keep([]);
  t.match(await kept.settled(), /cannot be copied: EACCES/);
  t.equal(content(), text);
  allow();
  kept.keep([]);
  t.equal(await kept.settled(), null);
  t.equal(content(`${FILE}.unreadable`), text);
  t.equal(content(), keptText([]));
  t.same(log.names.slice(0, 2), ['state-unreadable', 'state-not-written']);
  t.same(log.names.slice(2), ['state-put-aside', 'state-written']);
});

t.test('what the process before has sent is kept beside a file that cannot be read', async (t) => {
  const { time, kept, content } = found(t, keptText([drained('b0')]));
  const allow = forbidden(t, 'open');
  const told = [drained('b1')];
  t.same(await kept.load(told), told);
  kept.follow({ override: async () => err(['sluice is stopping']) });
  allow();
  await time.pass(30_000);
  t.equal(await kept.settled(), null);
  t.equal(content(), keptText([drained('b0'), ...told]), 'kept before it is in force');
});

t.test('what the process before could not write is written by the next one', async (t) => {
  const { time, kept, content } = found(t, keptText([drained('b0')]));
  await kept.load([]);
  kept.follow({ override: async () => ok(null) });
  await time.pass(30_000);
  t.equal(await kept.settled(), null);
  t.equal(content(), keptText([]));
});
