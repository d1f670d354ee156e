/** The addresses of the machine in a process without a descriptor: an answer, no exception. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { localAddresses, zoned } from '../../../src/engine/node/local_addresses.js';
import { within } from '../../support/deadline.js';

const MODULE = new URL('../../../src/engine/node/local_addresses.js', import.meta.url).href;
const PROGRAM = `
  import { openSync, writeSync } from 'node:fs';
  const { localAddresses, zoned } = await import(${JSON.stringify(MODULE)});
  try {
    for (;;) openSync('/dev/null');
  } catch {}
  writeSync(1, JSON.stringify([localAddresses(4), zoned('fe80::1', 1)]));
`;

t.test('an address is listed with its family', async (t) => {
  const listed = localAddresses(4);
  if (!listed.ok) throw new Error(listed.error);
  t.ok(listed.value.some(({ host }) => host === '127.0.0.1'));
  t.same(zoned('192.0.2.1', 7), { ok: true, value: '192.0.2.1' }, 'only link-local ones are zoned');
});

t.test('without a descriptor it is unknown, and that is said', async (t) => {
  const limited = 'ulimit -n 64 && exec "$@"';
  const words = [process.execPath, '--input-type=module', '-e', PROGRAM];
  const run = promisify(execFile)('sh', ['-c', limited, 'sh', ...words]);
  const { stdout } = await within('the child', run);
  t.match(JSON.parse(stdout), [{ ok: false }, { ok: false }]);
});
