/** What `check` warns of: allowed, and nearly always a mistake. */
import t from 'tap';
import type { FileState } from '../../src/config/checks/check.js';
import { formatWarning } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';

const warningsOf = (
  text: string,
  files: Readonly<Record<string, FileState>> = {},
): readonly string[] => {
  const loaded = loadConfig(text, 'f', {
    fileState: (path) => files[path] ?? 'missing',
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.warnings.map((warning) => formatWarning(warning).replace(/^f:/, ''));
};

const LISTENER = '[listeners.a]\nbind = "0.0.0.0:5432"\npool = "p"\n';
const BACKEND = '[[pools.p.backends]]\naddress = "10.0.0.1:5432"\n';
const UDP = LISTENER.replace('\n', '\nprotocol = "udp"\n');

t.test('an ordinary file gives no warning', async (t) => {
  t.strictSame(warningsOf(LISTENER + BACKEND), []);
  t.strictSame(warningsOf(`${UDP}[pools.p.health]\nprobe = "none"\n${BACKEND}`), []);
});

t.test('a password file that is not there is a warning, one that is there is none', async (t) => {
  const probe = 'probe = "postgres"\nuser = "u"\npassword_file = "/run/secret"\n';
  const text = `${LISTENER}[pools.p.health]\n${probe}${BACKEND}`;
  t.match(warningsOf(text), [
    /^7:1: warning: pools\.p\.health\.password_file: \/run\/secret cannot .*got no such file/,
  ]);
  t.strictSame(warningsOf(text, { '/run/secret': 'readable' }), []);
  t.match(warningsOf(text, { '/run/secret': 'forbidden' }), [/got a file that this user may not/]);
});

t.test('a token file that is not there is a warning', async (t) => {
  const text = `${LISTENER}${BACKEND}[admin]\ntoken_file = "/run/token"\n`;
  t.match(warningsOf(text), [/admin\.token_file: \/run\/token cannot be read .*got no such file/]);
  t.strictSame(warningsOf(text, { '/run/token': 'readable' }), []);
});

t.test('a listener for UDP whose pool has the default probe is a warning', async (t) => {
  t.match(warningsOf(UDP + BACKEND), [/health\.probe: the default probe connects by TCP/]);
  t.strictSame(warningsOf(`${UDP}[pools.p.health]\nprobe = "tcp"\n${BACKEND}`), [], 'asked for');
});

t.test('a pool that nobody uses, or that has nobody to serve, is a warning', async (t) => {
  t.match(warningsOf(`${LISTENER}${BACKEND}[pools.q]\n`), [/pools\.q: no listener leads to/]);
  t.match(warningsOf(`${LISTENER}[pools.p]\n`), [/pools\.p\.backends: no backends/]);
  t.match(warningsOf(`${LISTENER}${BACKEND}backup = true\n`), [/every backend is a backup/]);
});

t.test('an address that stands twice in a pool is a warning', async (t) => {
  const twice = `${LISTENER}${BACKEND}name = "x"\n${BACKEND}`;
  t.match(warningsOf(twice), [
    /^8:1: .*backends\[1\]\.address: backends\[0\] has the same address/,
  ]);
});

t.test('a backend that is a listener of the same file is a warning', async (t) => {
  const to = (address: string): readonly string[] =>
    warningsOf(`${LISTENER}[[pools.p.backends]]\naddress = "${address}"\n`);
  t.match(to('127.0.0.1:5432'), [/this is listener a itself/]);
  t.match(to('localhost:5432'), [/this is listener a itself/]);
  t.match(to('127.0.0.9:5432'), [/this is listener a itself/]);
  t.strictSame(to('127.0.0.1:5433'), []);
  t.strictSame(to('[::1]:5432'), [], 'another family');
  const unix = '[listeners.a]\nbind = "unix:/run/a"\npool = "p"\n[[pools.p.backends]]\n';
  t.match(warningsOf(`${unix}address = "unix:/run/a"\n`), [/this is listener a itself/]);
});

t.test('a file with problems gets no warnings besides', async (t) => {
  const loaded = loadConfig('[pools.p]\nx = 1', 'f');
  t.equal(loaded.ok ? 0 : loaded.error.length, 1);
});
