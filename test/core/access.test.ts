/** Which sessions get an access line. */
import t from 'tap';
import { lineRule } from '../../src/core/access.js';

t.test('all writes every session, off none', async (t) => {
  t.equal(lineRule('all', 'tcp', 'finished', 0), 'yes');
  t.equal(lineRule('off', 'tcp', 'dial-failed', 3), 'no');
});

t.test('errors leaves out what went as it should, and a sample takes some of it', async (t) => {
  const sample = { oneOf: 100 };
  for (const cause of ['finished', 'client-reset', 'max-age', 'drained', 'killed'] as const) {
    t.equal(lineRule('errors', 'tcp', cause, 0), 'no', cause);
    t.equal(lineRule(sample, 'tcp', cause, 0), 'one of many', cause);
  }
  for (const cause of ['backend-reset', 'all-full', 'dial-failed', 'bad-proxy-header'] as const) {
    t.equal(lineRule('errors', 'tcp', cause, 0), 'yes', cause);
    t.equal(lineRule(sample, 'tcp', cause, 0), 'yes', cause);
  }
});

t.test('errors writes a session that needed another backend, however it ended', async (t) => {
  t.equal(lineRule('errors', 'tcp', 'finished', 1), 'yes');
});

t.test('idleness is how a flow ends, but not how a session should', async (t) => {
  t.equal(lineRule('errors', 'udp', 'idle-timeout', 0), 'no');
  t.equal(lineRule('errors', 'tcp', 'idle-timeout', 0), 'yes');
});
