/** The way from text to a Spec, or to everything that is wrong with the text. */
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { loadSpec } from '../support/load_spec.js';

t.test('the smallest configuration is filled up with defaults', async (t) => {
  const spec = loadSpec('[listeners.a]\nbind = "127.0.0.1:0"\npool = "p"\n[pools.p]\n');
  t.match(spec.listeners, [{ name: 'a', protocol: 'tcp', idleTimeoutMs: 3_600_000 }]);
  t.match(spec.pools, [{ name: 'p', policy: 'p2c', outlier: null, backends: [] }]);
});

t.test('all problems come at once, in the order of the file', async (t) => {
  const loaded = loadConfig(
    '[daemon]\nshutdown_timeout = 30\nenigne = "auto"\n[listeners.a]\npool = "p"\n',
    'f.toml',
  );
  t.strictSame(loaded.ok ? [] : loaded.error.map(formatIssue), [
    'f.toml:2:1: daemon.shutdown_timeout: wrong type (expected a duration from "10ms" to "7d", or "0s" for no time at all; got 30)',
    'f.toml:3:1: daemon.enigne: unknown key (expected engine; got "enigne")',
    'f.toml:4:12: listeners.a.bind: missing (expected where to listen, as "0.0.0.0:5432"; got nothing)',
    'f.toml:5:1: listeners.a.pool: no such pool (expected a table [pools.NAME] for it; got "p")',
  ]);
});
