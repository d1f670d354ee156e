import t from 'tap';
import { type ListenEnvironment, takeInherited } from '../../../src/system/inherited.js';

t.test('what was passed to this process is taken once', async (t) => {
  const env: ListenEnvironment = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' };
  t.same(takeInherited(env, 7), [
    { fd: 3, name: 'a' },
    { fd: 4, name: 'b' },
  ]);
  t.same(env, {});
  t.same(takeInherited(env, 7), []);
});

t.test('what has no name is called as systemd’s library calls it', async (t) => {
  const env: ListenEnvironment = { LISTEN_PID: '7', LISTEN_FDS: '1' };
  t.same(takeInherited(env, 7), [{ fd: 3, name: 'unknown' }]);
});

t.test('what was meant for another process, or makes no sense, is nothing', async (t) => {
  const strange = [{ LISTEN_PID: '8' }, { LISTEN_FDS: 'x' }, { LISTEN_FDS: '-1' }];
  for (const env of strange) {
    t.same(takeInherited({ LISTEN_PID: '7', LISTEN_FDS: '2', ...env }, 7), []);
  }
});
