/** Overrides that cannot be written: tried again, once at a time, and told once. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeptOverrides } from '../../src/control/kept_overrides.js';
import { FakeTime } from '../support/fake_time.js';
import { tempFolder } from '../support/places.js';
import { Events } from './fixtures.js';

const CHANGES = 50;

t.test('however many writes fail, one is tried again, and it ends the trying', async (t) => {
  const folder = join(tempFolder(t), 'state');
  const time = new FakeTime();
  const log = new Events();
  const kept = new KeptOverrides(folder, { log, timers: time, lock: () => null });
  // Whoever runs this, nothing can be written below a file.
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
  rmSync(folder);
  mkdirSync(folder);
  await time.pass(30_000);
  t.equal(await kept.settled(), null);
  t.equal(time.pending, 0, 'it is written');
  t.same(log.names, ['state-not-written'], 'told once');
});
