/** Real timers fire once, can be cancelled, and keep no process alive. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { systemTimers } from '../../../src/system/timers.js';
import { held } from '../../support/held.js';

t.test('a shorter delay fires first, and a cancelled timer never', async (t) => {
  const order: string[] = [];
  await held(
    new Promise<void>((resolve) => {
      systemTimers.after(30, () => {
        order.push('long');
        resolve();
      });
      systemTimers.after(5, () => order.push('short'));
      systemTimers.after(1, () => order.push('cancelled')).cancel();
    }),
  );
  t.same(order, ['short', 'long']);
});

t.test('a pending timer lets the process end', async (t) => {
  const url = new URL('../../../src/system/timers.js', import.meta.url);
  const source = `import { systemTimers } from '${url}'; systemTimers.after(60_000, () => {});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source]);
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
});

t.test('a delay beyond 2^31 ms does not fire at once', async (t) => {
  let fired = false;
  const timer = systemTimers.after(3_000_000_000, () => {
    fired = true;
  });
  await held(new Promise<void>((resolve) => systemTimers.after(10, resolve)));
  timer.cancel();
  t.notOk(fired);
});
