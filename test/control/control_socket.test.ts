import { existsSync } from 'node:fs';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { ControlSocket } from '../../src/control/control_socket.js';
import { FakeTime } from '../support/fake_time.js';
import { Events } from './fixtures.js';

t.test('a socket that has no place is reported once, however often it is tried', async (t) => {
  const { RUNTIME_DIRECTORY: known } = process.env;
  // A folder that is not absolute counts as none.
  process.env['RUNTIME_DIRECTORY'] = 'none';
  t.teardown(() => {
    if (known === undefined) delete process.env['RUNTIME_DIRECTORY'];
    else process.env['RUNTIME_DIRECTORY'] = known;
  });
  const loaded = loadConfig('', 'empty.toml');
  if (!loaded.ok) throw new Error('an empty file is a configuration');
  const { admin } = loaded.value.spec;
  const [time, log] = [new FakeTime(), new Events()];
  const never = () => {
    throw new Error('nothing asks');
  };
  const socket = new ControlSocket({
    clock: time,
    timers: time,
    log,
    kernel: null,
    router: never,
    admin: () => admin,
    connections: 1,
    defect: never,
    slow: never,
  });
  for (let reload = 0; reload < 3; reload++) await socket.open(() => null);
  await socket.close();
  const hasUsualFolder = existsSync('/run/sluice');
  t.same(log.names.filter((name) => name === 'control-off').length, hasUsualFolder ? 0 : 1);
});
