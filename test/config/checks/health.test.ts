/** Each kind of probe takes its own keys, and some keys need others. */
import t from 'tap';
import { type PROBE_KEYS, PROBE_KINDS, PROBE_USES } from '../../../src/config/schema/probe_keys.js';
import { problemsOf } from '../../support/config_problems.js';

const health = (keys: string): readonly string[] => problemsOf(`[pools.p.health]\n${keys}`);

/** A good value of every key. */
const SAMPLES: Readonly<Record<keyof typeof PROBE_KEYS, string>> = {
  send: '"PING"',
  expect: '"PONG"',
  steps: '[{ send = "PING" }]',
  minimum_size: '"4B"',
  method: '"HEAD"',
  path: '"/health"',
  status: '[200, "300-399"]',
  host: '"db.example"',
  tls: 'true',
  tls_server_name: '"db.example"',
  tls_verify: 'false',
  tls_ca_file: '"/etc/ca.pem"',
  expiry_warning: '"7d"',
  role: '"replica"',
  user: '"sluice"',
  database: '"app"',
  password_file: '"/etc/password"',
  password_env: '"PASSWORD"',
  allow_cleartext_password: 'true',
  max_lag: '"5s"',
  name: '"example.org"',
  type: '"SOA"',
  rcodes: '["NXDOMAIN"]',
};

/** Keys of one kind that exclude each other. */
const EXCLUSIVE = ['steps', 'password_env'];

t.test('each kind of probe takes its keys, and no key of another', async (t) => {
  for (const kind of PROBE_KINDS) {
    const { takes } = PROBE_USES[kind];
    const own = takes.filter((key) => !EXCLUSIVE.includes(key));
    const lines = [`probe = "${kind}"`, ...own.map((key) => `${key} = ${SAMPLES[key]}`)];
    t.strictSame(health(lines.join('\n')), [], kind);
    for (const [key, sample] of Object.entries(SAMPLES)) {
      if (takes.some((taken) => taken === key)) continue;
      const found = health([...lines, `${key} = ${sample}`].join('\n'));
      const place = `${lines.length + 2}:1: pools.p.health.${key}: `;
      t.equal(found.length, 1);
      t.ok(found[0]?.startsWith(`${place}not a key of probe = "${kind}"`), `${kind} ${key}`);
    }
  }
});

t.test('the problem says which kinds take the key', async (t) => {
  t.strictSame(health('role = "primary"'), [
    '2:1: pools.p.health.role: not a key of probe = "tcp" (expected it with "redis" or "postgres" only; got "primary")',
  ]);
});

t.test('some kinds cannot do without a key', async (t) => {
  t.strictSame(health('probe = "dns"'), [
    '1:10: pools.p.health.name: missing, and probe = "dns" needs it (expected a domain name; got nothing)',
  ]);
  t.match(health('probe = "udp"'), [/health\.send: missing, and probe = "udp" needs it/]);
});

t.test('a conversation has one of two forms, and something to send or expect', async (t) => {
  const probe = 'probe = "send-expect"\n';
  t.strictSame(health(probe), [
    '2:1: pools.p.health.probe: nothing to send and nothing to expect (expected send, expect or steps; or probe = "tcp"; got "send-expect")',
  ]);
  t.strictSame(health(`${probe}expect = "220"`), []);
  t.strictSame(health(`${probe}expect = "220"\nsteps = [{ send = "x" }]`), [
    '4:1: pools.p.health.steps: stands beside send or expect (expected one of the two forms; got a list)',
  ]);
  t.strictSame(health(`${probe}steps = [{ send = "x" }, {}]`), [
    '3:26: pools.p.health.steps[1]: an empty step (expected send or expect; got a table)',
  ]);
  t.match(health(`${probe}steps = []`), [/nothing to send and nothing to expect/]);
  t.equal(health(`${probe}send = 5`).length, 1, 'a broken value is something');
});

t.test('what only a login can find out needs a user', async (t) => {
  const probe = 'probe = "postgres"\n';
  for (const key of [
    'role = "primary"',
    'max_lag = "1s"',
    'database = "a"',
    'password_env = "P"',
  ]) {
    const name = key.split(' ')[0];
    t.strictSame(health(`${probe}${key}`), [
      `1:10: pools.p.health.user: missing, and only a login makes sense of ${name} (expected a user; got nothing)`,
    ]);
    t.strictSame(health(`${probe}${key}\nuser = "u"`), []);
  }
  t.strictSame(health(`${probe}role = "any"\nmax_lag = "0s"`), []);
  t.equal(health(`${probe}role = "primary"\nuser = 5`).length, 1, 'a broken user is one');
  t.strictSame(health('probe = "redis"\nrole = "primary"\npassword_env = "P"'), []);
});

t.test('a password has one source, and is never shown', async (t) => {
  const both = 'probe = "redis"\npassword_file = "/p"\npassword_env = "P"';
  t.strictSame(health(both), [
    '4:1: pools.p.health.password_env: stands beside password_file (expected one of the two; got a string)',
  ]);
  const secret = health('probe = "redis"\npassword_file = "hunter2"\npassword_env = "hunter-2"');
  t.equal(secret.length, 2);
  t.notMatch(secret.join('\n'), 'hunter');
  const unknown = health('probe = "redis"\npassword = "hunter2"');
  t.match(unknown, [/unknown key \(expected password_(file|env); got "password"\)/]);
});

t.test('a domain name is one that can be asked for', async (t) => {
  const ask = (name: string) => health(`probe = "dns"\nname = "${name}"`);
  for (const name of ['.', 'org', 'example.org', '_x.example.org.', `${'a'.repeat(63)}.org`]) {
    t.strictSame(ask(name), [], name);
  }
  for (const name of ['', '..', 'a..b', '.org', 'a b', `${'a'.repeat(64)}.org`, 'é.org']) {
    t.equal(ask(name).length, 1, name);
  }
});

t.test('a primary does not lag', async (t) => {
  t.strictSame(health('probe = "postgres"\nuser = "u"\nrole = "primary"\nmax_lag = "1s"'), [
    '5:1: pools.p.health.max_lag: a primary does not lag (expected role = "replica" or "any"; got "1s")',
  ]);
});

t.test('options of TLS need TLS', async (t) => {
  t.strictSame(health('probe = "http"\ntls_verify = true'), [
    '3:1: pools.p.health.tls_verify: no meaning while tls is false (expected tls = true, or no such key; got true)',
  ]);
  t.strictSame(health('probe = "http"\ntls_verify = true\ntls = true'), []);
  t.strictSame(health('probe = "tls"\ntls_verify = true'), []);
});

t.test('a UNIX socket has no port and takes no datagrams', async (t) => {
  const unix = '\n[[pools.p.backends]]\naddress = "unix:/x"';
  t.match(health(`port = 80${unix}`), [/health\.port: a backend of this pool is a UNIX socket/]);
  t.match(health(`probe = "udp"\nsend = "x"${unix}`), [/health\.probe: a backend .* no datagrams/]);
  t.strictSame(health(`probe = "postgres"${unix}`), []);
});

t.test('the fast interval is not longer than the usual one', async (t) => {
  t.strictSame(health('interval = "1s"\nfast_interval = "2s"'), [
    '3:1: pools.p.health.fast_interval: longer than interval (expected the same or shorter; got "2s")',
  ]);
  t.strictSame(health('interval = "100ms"'), [], 'the default follows');
});

t.test('an unknown kind of probe leaves the other keys checked', async (t) => {
  const found = health('probe = "psotgres"\nrole = "primary"\ninterval = 5\nrise = 0');
  t.match(found, [/health\.probe: unknown value/, /health\.interval: wrong type/, /health\.rise/]);
  t.equal(found.length, 3);
});
