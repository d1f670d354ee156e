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
  t.match(warningsOf(text, { '/run/secret': 'forbidden' }), [
    /got a file that this user is not allowed/,
  ]);
});

t.test('a token file that is not there is a warning', async (t) => {
  const text = `${LISTENER}${BACKEND}[admin]\ntoken_file = "/run/token"\n`;
  t.match(warningsOf(text), [/admin\.token_file: \/run\/token cannot be read .*got no such file/]);
  t.strictSame(warningsOf(text, { '/run/token': 'readable' }), []);
  t.match(warningsOf(text, { '/run/token': 'exposed' }), [
    /token_file: every user of this machine can read \/run\/token .*chmod 600/,
  ]);
});

t.test('a listener for UDP whose pool has the default probe is a warning', async (t) => {
  t.match(warningsOf(UDP + BACKEND), [/health\.probe: the default probe connects by TCP/]);
  t.strictSame(warningsOf(`${UDP}[pools.p.health]\nprobe = "tcp"\n${BACKEND}`), [], 'asked for');
});

t.test('a pool that is not used, or that no backend serves, is a warning', async (t) => {
  t.match(warningsOf(`${LISTENER}${BACKEND}[pools.q]\n`), [/pools\.q: no listener leads to/]);
  t.match(warningsOf(`${LISTENER}[pools.p]\n`), [/pools\.p\.backends: no backends/]);
  t.match(warningsOf(`${LISTENER}${BACKEND}backup = true\n`), [/every backend is a backup/]);
  const inOrder = `${LISTENER}[pools.p]\nbackups = "first"\n${BACKEND}backup = true\n`;
  t.strictSame(warningsOf(inOrder), []);
});

t.test('addresses to dial from that cannot reach the backends are a warning', async (t) => {
  const pool = (source: string): string => `${LISTENER}[pools.p]\nsource = [${source}]\n`;
  t.strictSame(warningsOf(pool('"10.0.0.2"') + BACKEND), []);
  t.match(warningsOf(pool('"2001:db8::1"') + BACKEND), [
    /^7:\d+: .*backends\[0\]\.address: no address of source is IPv4/,
  ]);
  const near = BACKEND.replace('10.0.0.1:5432', '127.0.0.1:1');
  t.strictSame(warningsOf(pool('"127.0.0.9"') + near), []);
  t.match(warningsOf(pool('"10.0.0.2", "127.0.0.9"') + BACKEND), [
    /^5:\d+: .*source\[1\]: from a loopback address 10\.0\.0\.1:5432 cannot be reached/,
  ]);
});

t.test('no address of one machine is refused as one to dial from', async (t) => {
  for (const host of ['224.0.0.1', '239.9.9.9', '255.255.255.255', '0.0.0.0', '::', 'ff02::1']) {
    const loaded = loadConfig(`${LISTENER}[pools.p]\nsource = ["${host}"]\n${BACKEND}`, 'f');
    t.match(loaded, { ok: false, error: [{ problem: /no address of one machine/ }] }, host);
  }
});

t.test('a table about hashing is a warning where the policy hashes nothing', async (t) => {
  const hash = '[pools.p.hash]\nalgorithm = "ring"\ntable_size = 101\n';
  const pool = (policy: string): string => `${LISTENER}[pools.p]\n${policy}${hash}${BACKEND}`;
  t.match(warningsOf(pool('')), [
    /^6:1: warning: pools\.p\.hash\.algorithm: policy "p2c" does not hash/,
  ]);
  t.match(warningsOf(pool('policy = "round-robin"\n')), [/policy "round-robin" does not hash/]);
  t.strictSame(warningsOf(pool('policy = "source-hash"\n')), []);
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

const routed = (...routes: readonly string[]): string =>
  LISTENER +
  routes.map((lines) => `[[listeners.a.routes]]\n${lines}\n`).join('') +
  '[listeners.a.postgres]\nstrict = true\n' +
  BACKEND;
const ROUTE = 'pool = "p"\n';

t.test('a route that no client takes is a warning, and one that some take is none', async (t) => {
  const dead = [
    ['server_name = "*.a.example"', 'server_name = ["b.a.example", "*.c.a.example"]'],
    ['client = "10.0.0.0/8"', 'client = ["10.1.0.0/16", "10.2.3.4"]\nalpn = "h2"'],
    ['alpn = ["h2", "h3"]', 'alpn = "h3"\nserver_name = "a.example"'],
    ['user = "me"\ndatabase = "o*"', 'user = "me"\ndatabase = "or?*"'],
    ['', 'server_name = "a.example"'],
  ];
  for (const both of dead) {
    const found = warningsOf(routed(...both.map((lines) => `${lines}\n${ROUTE}`)));
    const isOne = found.some((one) => /a\.routes\[1\]: no client takes it.*routes\[0\]/.test(one));
    t.ok(isOne === (both[1]?.includes('?') !== true), `${both.join(' / ')}: ${found.join()}`);
  }
  const alive = [
    ['server_name = "*.a.example"', 'server_name = "a.example"'],
    ['server_name = "a.example"\nalpn = "h2"', 'server_name = "a.example"'],
    ['client = "10.1.0.0/16"', 'client = "10.0.0.0/8"'],
    ['alpn = "h2"', 'alpn = ["h2", "h3"]'],
  ];
  for (const both of alive) {
    t.same(warningsOf(routed(...both.map((lines) => `${lines}\n${ROUTE}`))), [], both.join(' / '));
  }
});

t.test(
  'routes may leave the pool of their listener without clients, or all clients without one',
  async (t) => {
    const other = '[pools.q]\n[[pools.q.backends]]\naddress = "10.0.0.2:1"\n';
    t.match(warningsOf(routed('pool = "q"') + other), [
      /a\.pool: no client gets there: routes\[0\]/,
    ]);
    t.match(warningsOf(routed('alpn = "h2"\npool = "q"') + other), []);
    const refusing = LISTENER.replace('pool = "p"', 'pool = ""');
    t.match(warningsOf(refusing + BACKEND), [
      /a\.pool: every session is refused/,
      /pools\.p: no list/,
    ]);
  },
);

t.test('where a start is read clients have no TLS, and that is a warning', async (t) => {
  t.match(warningsOf(routed(`user = "me"\n${ROUTE}`)), [/routes\[0\]\.user: .*there is no TLS/]);
  t.same(warningsOf(routed(`user = "me"\n${ROUTE}`, `alpn = "x"\n${ROUTE}`)), []);
});

t.test('a route that asks for a TLS hello and a Postgres start is a warning', async (t) => {
  for (const hello of ['server_name = "db.example"', 'alpn = "postgresql"']) {
    for (const start of ['database = "d"', 'user = "u"', 'application = "a"']) {
      t.match(
        warningsOf(routed(`${hello}\n${start}\n${ROUTE}`)),
        [/^4:15: .*a\.routes\[0\]: no client fits it: behind TLS no database.*got some of both/],
        `${hello} ${start}`,
      );
    }
  }
  t.same(warningsOf(routed(`server_name = "a"\n${ROUTE}`, `database = "d"\n${ROUTE}`)), []);
});

t.test('what says nothing of clients, or twice, is a warning', async (t) => {
  const limited = (lines: string): string =>
    `${LISTENER}[listeners.a.limits]\n${lines}\n${BACKEND}`;
  t.match(warningsOf(limited('sessions_per_client = 3\nburst = 5')), [
    /^6:1: .*limits\.burst: without new_per_client/,
  ]);
  t.same(warningsOf(limited('new_per_client = "5/s"\nburst = 5')), []);
  const access = (deny: string): string =>
    `${LISTENER}[listeners.a.access]\nallow = ["10.0.0.7/32", "10.1.0.0/16"]\ndeny = ["${deny}"]\n`;
  t.match(warningsOf(access('10.0.0.7') + BACKEND), [
    /^5:1: .*access\.allow: 10\.0\.0\.7\S* is in deny too, which decides/,
  ]);
  t.same(warningsOf(access('10.1.2.0/24') + BACKEND), [], 'a block within another one');
});
