/** Signals reach their handler until it is taken away. */
import t from 'tap';
import { onSignal } from '../../../src/system/signals.js';
import { held } from '../../support/held.js';

t.test('a signal calls its handler, until the handler is removed', async (t) => {
  const before = process.listenerCount('SIGHUP');
  let calls = 0;
  const hangup = new Promise<void>((resolve) => {
    const remove = onSignal('SIGHUP', () => {
      calls++;
      remove();
      resolve();
    });
  });
  process.kill(process.pid, 'SIGHUP');
  await held(hangup);
  t.equal(calls, 1);
  t.equal(process.listenerCount('SIGHUP'), before);
});
