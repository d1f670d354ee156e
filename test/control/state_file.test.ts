/** A file that outlives the process: whenever it ends, and whatever fails, it is a whole text. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { StateFile } from '../../src/control/state_file.js';
import { FakeTime } from '../support/fake_time.js';
import { tempFolder } from '../support/places.js';

const OLD = 'old '.repeat(2_000);
const NEW = 'new '.repeat(3_000);
/** open, write, sync, close, rename, open the folder, sync it, close it. */
const STEPS = 8;

/** What becomes of step `at`, counted from 1 over all calls. */
type Fate = (step: () => Promise<unknown>, half: () => Promise<unknown>) => Promise<unknown>;

/** Every call that changes a disk has `fate` at its turn, and is itself otherwise. */
function failing(t: Test, at: number, fate: Fate): void {
  const { open, rename } = promises;
  let count = 0;
  const turn: Fate = (step, half) => (++count === at ? fate(step, half) : step());
  const wrap = (handle: FileHandle): FileHandle => {
    const { writeFile, sync, close } = handle;
    handle.writeFile = (text) =>
      turn(
        () => writeFile.call(handle, text),
        () => writeFile.call(handle, String(text).slice(0, String(text).length / 2)),
      ) as Promise<void>;
    handle.sync = () => turn(() => sync.call(handle), nothing) as Promise<void>;
    handle.close = () => turn(() => close.call(handle), nothing) as Promise<void>;
    return handle;
  };
  promises.open = async (...asked) =>
    wrap((await turn(() => open(...asked), nothing)) as FileHandle);
  promises.rename = (...asked) => turn(() => rename(...asked), nothing) as Promise<void>;
  syncBuiltinESMExports();
  t.teardown(() => {
    Object.assign(promises, { open, rename });
    syncBuiltinESMExports();
  });
}

const nothing = async (): Promise<void> => {};

async function written(t: Test): Promise<{ file: StateFile; folder: string; time: FakeTime }> {
  const folder = tempFolder(t);
  const time = new FakeTime();
  const file = new StateFile(join(folder, 'state.json'), time, () => null);
  t.equal(await file.write(OLD), null);
  return { file, folder, time };
}

t.test('what was written is read, by its owner only, and nothing else is left', async (t) => {
  const { file, folder } = await written(t);
  t.same(await file.read(), { kind: 'text', text: OLD });
  t.equal(await file.write(NEW), null);
  t.same(await file.read(), { kind: 'text', text: NEW });
  t.equal(statSync(file.path).mode & 0o777, 0o600);
  t.same(readdirSync(folder), ['state.json']);
  t.same(await new StateFile(join(folder, 'none'), new FakeTime(), () => null).read(), {
    kind: 'none',
  });
});

t.test('of writes that come meanwhile the newest is written, once', async (t) => {
  const { file } = await written(t);
  const all = [file.write('a'), file.write('b'), file.write(NEW)];
  t.same(await Promise.all(all), [null, null, null]);
  t.same(await file.read(), { kind: 'text', text: NEW });
});

for (let at = 1; at <= STEPS; at++) {
  t.test(
    `a process that ends in step ${at} of a write leaves the old text or the new`,
    async (t) => {
      const { file, folder, time } = await written(t);
      let reached = (): void => {};
      const ended = new Promise<void>((resolve) => {
        reached = resolve;
      });
      // Nothing follows any more, as after SIGKILL: the disk is as it was in this moment.
      failing(t, at, async (_, half) => {
        await half();
        reached();
        return new Promise(() => {});
      });
      const writing = file.write(NEW);
      await ended;
      const there = readFileSync(file.path, 'utf8');
      t.ok(there === OLD || there === NEW);
      await time.pass(5_000);
      t.match(await writing, /not written after 5 s/);
      const next = new StateFile(join(folder, 'state.json'), time, () => null);
      t.match(await next.read(), { kind: 'text', text: there });
    },
  );

  t.test(`a step ${at} that fails is reported, and loses nothing`, async (t) => {
    const { file, folder } = await written(t);
    failing(t, at, async (_, half) => {
      await half();
      throw new Error('ENOSPC: no space left on device');
    });
    t.match(await file.write(NEW), 'ENOSPC');
    const there = readFileSync(file.path, 'utf8');
    t.ok(there === OLD || there === NEW);
    t.same(readdirSync(folder), ['state.json']);
    t.equal(await file.write(NEW), null, 'the next one is as any other');
    t.equal(readFileSync(file.path, 'utf8'), NEW);
  });
}
