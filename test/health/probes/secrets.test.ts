import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { conceal, readSecret } from '../../../src/health/probes/secrets.js';
import { tempFolder } from '../../support/places.js';

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
    t.equal(await readSecret({ kind: 'file', path }), secret);
  }
});

t.test('an environment variable is taken as it stands now', async (t) => {
  const name = 'SLUICE_TEST_SECRET';
  t.teardown(() => Reflect.deleteProperty(process.env, name));
  process.env[name] = 'rotated';
  t.equal(await readSecret({ kind: 'environment', name }), 'rotated');
});

t.test('what cannot be read is named, and no content is shown', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'long');
  writeFileSync(path, 'secret'.repeat(1_000));
  const failure = { failure: 'secret-unreadable' };
  await t.rejects(readSecret({ kind: 'file', path }), {
    ...failure,
    message: `${path} holds more than 4096 bytes`,
  });
  await t.rejects(readSecret({ kind: 'file', path: join(folder, 'absent') }), {
    ...failure,
    message: /absent \(ENOENT\)$/,
  });
  await t.rejects(readSecret({ kind: 'file', path: folder }), { ...failure, message: /EISDIR/ });
  await t.rejects(readSecret({ kind: 'environment', name: 'SLUICE_TEST_ABSENT' }), {
    ...failure,
    message: 'the environment variable SLUICE_TEST_ABSENT is not set',
  });
});

t.test('what a server repeats is told without the secret', async (t) => {
  t.equal(conceal('bad hunter2, really hunter2', 'hunter2'), 'bad ***, really ***');
  t.equal(conceal('nothing to hide', null), 'nothing to hide');
  t.equal(conceal('nothing to hide', ''), 'nothing to hide');
});
