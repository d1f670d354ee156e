/** Which sessions get an access line. */
import t from 'tap';
import { deservesLine } from '../../src/core/access.js';

t.test('all writes every session, off none', async (t) => {
  t.ok(deservesLine('all', 'tcp', 'finished', 0));
  t.notOk(deservesLine('off', 'tcp', 'dial-failed', 3));
});

t.test('errors leaves out what went as it should', async (t) => {
  for (const cause of ['finished', 'client-reset', 'max-age', 'drained', 'killed'] as const) {
    t.notOk(deservesLine('errors', 'tcp', cause, 0), cause);
  }
  for (const cause of ['backend-reset', 'all-full', 'dial-failed', 'bad-proxy-header'] as const) {
    t.ok(deservesLine('errors', 'tcp', cause, 0), cause);
  }
});

t.test('errors writes a session that needed another backend, however it ended', async (t) => {
  t.ok(deservesLine('errors', 'tcp', 'finished', 1));
});

t.test('idleness is how a flow ends, but not how a session should', async (t) => {
  t.notOk(deservesLine('errors', 'udp', 'idle-timeout', 0));
  t.ok(deservesLine('errors', 'tcp', 'idle-timeout', 0));
});
