import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SecretSource } from '../../../src/core/health_spec.js';
import { cared, readSecret } from '../../../src/health/probes/secrets.js';
import { Redactor } from '../../../src/secrets/redactor.js';
import { tempFolder } from '../../support/places.js';

const NEVER = new AbortController().signal;
const read = (source: SecretSource) => readSecret(source, new Redactor(), NEVER);

t.test('a file is read anew each time, without the line end that an editor leaves', async (t) => {
  const path = join(tempFolder(t), 'password');
  for (const [written, secret] of [
    ['hunter2\n', 'hunter2'],
    ['hunter3\r\n', 'hunter3'],
    [' spaces stay \n', ' spaces stay '],
    ['two\n\n', 'two\n'],
    ['', ''],
    ['x'.repeat(4_096), 'x'.repeat(4_096)],
  ] as const) {
    writeFileSync(path, written);
    t.equal((await read({ kind: 'file', path })).text, secret);
  }
});

t.test('an environment variable is taken as it stands now', async (t) => {
  const name = 'SLUICE_TEST_SECRET';
  t.teardown(() => Reflect.deleteProperty(process.env, name));
  process.env[name] = 'rotated';
  t.equal((await read({ kind: 'environment', name })).text, 'rotated');
});

t.test('what cannot be read is named, and no content is shown', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'long');
  writeFileSync(path, 'secret'.repeat(1_000));
  const failure = { failure: 'secret-unreadable' };
  await t.rejects(read({ kind: 'file', path }), {
    ...failure,
    message: `${path} holds more than 4096 bytes`,
  });
  await t.rejects(read({ kind: 'file', path: join(folder, 'absent') }), {
    ...failure,
    message: /absent: no such file \(ENOENT\)$/,
  });
  await t.rejects(read({ kind: 'file', path: folder }), { ...failure, message: /EISDIR/ });
  await t.rejects(read({ kind: 'environment', name: 'SLUICE_TEST_ABSENT' }), {
    ...failure,
    message: 'the environment variable SLUICE_TEST_ABSENT is not set',
  });
});

t.test(
  'a file that every user may read is worth a warning, and one of the group is not',
  async (t) => {
    const path = join(tempFolder(t), 'password');
    writeFileSync(path, 'hunter2');
    for (const [mode, warning] of [
      [0o600, ''],
      [0o640, ''],
      [0o644, `every user of this machine can read the password in ${path} (mode 0644); chmod o-r`],
      [0o604, `every user of this machine can read the password in ${path} (mode 0604); chmod o-r`],
    ] as const) {
      chmodSync(path, mode);
      t.equal((await read({ kind: 'file', path })).warning, warning);
    }
    const secret = await read({ kind: 'file', path });
    t.match(cared({ ok: true, share: 1, note: 'n' }, secret), { warning: /mode 0604/, note: 'n' });
  },
);

t.test('a FIFO without a writer is read for no longer than the attempt lasts', async (t) => {
  const path = join(tempFolder(t), 'fifo');
  execFileSync('mkfifo', [path]);
  const limit = new AbortController();
  const reading = readSecret({ kind: 'file', path }, new Redactor(), limit.signal);
  limit.abort();
  await t.rejects(reading, { message: /could not be read in time/ });
});

t.test('a reader of a secret has taught it to the redactor first', async (t) => {
  const path = join(tempFolder(t), 'password');
  writeFileSync(path, 'hunter2\n');
  const redactor = new Redactor();
  await readSecret({ kind: 'file', path }, redactor, NEVER);
  t.equal(redactor.hide('bad hunter2, really hunter2'), 'bad ***, really ***');
});
