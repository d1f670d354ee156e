/** The way from text to a Spec, or to everything that is wrong with the text. */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import type { Spec } from '../../src/core/spec.js';
import { problemsOf } from '../support/config_problems.js';
import { loadSpec } from '../support/load_spec.js';

t.test('an empty file is a daemon with nothing to do', async (t) => {
  t.strictSame(loadSpec(''), {
    daemon: {
      engine: 'auto',
      workers: 'auto',
      shutdownTimeoutMs: 30_000,
      leaveDelayMs: 0,
      stateDirectory: 'auto',
      keepSockets: true,
      reloadUpgrades: false,
      probesPerSecond: 0,
    },
    log: { level: 'info', format: 'json', access: 'errors' },
    admin: {
      http: { kind: 'ip', family: 4, host: '127.0.0.1', port: 9600 },
      socket: 'auto',
      socketGroup: '',
      socketUsers: [],
      hosts: [],
      tokenFile: null,
      allowPublic: false,
      backendHistograms: false,
    },
    listeners: [],
    pools: [],
    denied: [],
  });
});

const SMALLEST = `[listeners.a]
bind = "127.0.0.1:0"
pool = "p"
[pools.p.outlier]
[[pools.p.backends]]
address = "db:1"`;

t.test('the defaults of a listener are those of the contract', async (t) => {
  t.strictSame(loadSpec(SMALLEST).listeners, [
    {
      name: 'a',
      protocol: 'tcp',
      bind: [{ kind: 'ip', family: 4, host: '127.0.0.1', port: 0 }],
      missingAddress: 'refuse',
      activation: null,
      pool: 'p',
      routes: [],
      maxSessions: 0,
      access: null,
      settings: {
        trustedProxies: null,
        idleTimeoutMs: 3_600_000,
        maxSessionAgeMs: 0,
        backlog: 4096,
        helloTimeoutMs: 3_000,
        helloSizeBytes: 16_384,
        postgres: null,
        limits: null,
      },
    },
  ] satisfies Spec['listeners']);
});

t.test('the defaults of a pool are those of the contract', async (t) => {
  const [pool] = loadSpec(SMALLEST).pools;
  t.strictSame(
    { ...pool, settings: { ...pool?.settings, outlier: null }, health: null, backends: [] },
    {
      name: 'p',
      settings: {
        policy: { name: 'p2c' },
        sendProxyProtocol: 'off',
        sources: [],
        connectTimeoutMs: 5_000,
        retries: 2,
        queueSize: 0,
        queueTimeoutMs: 5_000,
        panicPercent: 0,
        heldAtMost: 0,
        udpResponses: 0,
        outlier: null,
      },
      whileHeld: 'keep',
      drainTimeoutMs: 300_000,
      drainSpreadMs: 30_000,
      slowStartMs: 0,
      onDown: 'keep',
      onDownSpreadMs: 0,
      backups: 'all',
      rebalancePercent: 0,
      health: null,
      backends: [],
      discovery: [],
    },
  );
});

t.test('a policy has the options that are its own, and no others', async (t) => {
  const policy = (keys: string) => loadSpec(`[pools.p]\n${keys}`).pools[0]?.settings.policy;
  t.strictSame(policy('policy = "source-hash"\nhash.algorithm = "ring"'), {
    name: 'source-hash',
    algorithm: 'ring',
    ipv6PrefixBits: 64,
    balanceFactor: 1.25,
    tableSize: 65_537,
  });
  t.strictSame(policy('policy = "random"\nhash.algorithm = "ring"'), { name: 'random' });
});

t.test('the defaults of health, ejection and backends are those of the contract', async (t) => {
  const [pool] = loadSpec(SMALLEST).pools;
  t.strictSame(pool?.health, {
    probe: { kind: 'tcp' },
    port: null,
    intervalMs: 2_000,
    fastIntervalMs: 500,
    downIntervalMs: 5_000,
    timeoutMs: 1_000,
    fall: 3,
    rise: 2,
    jitter: 0.1,
  });
  t.strictSame(pool?.settings.outlier, {
    consecutiveFailures: 5,
    intervalMs: 10_000,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectedPercent: 50,
    dryRun: false,
    latencyFactor: 0,
  });
  const address = { kind: 'name', host: 'db', port: 1 };
  t.strictSame(pool?.backends, [
    { name: 'db:1', address, admin: 'ready', weight: 1, maxConnections: 0, backup: false },
  ]);
});

t.test('passive health is off without its table', async (t) => {
  t.equal(loadSpec('[pools.p]').pools[0]?.settings.outlier, null);
});

t.test('UDP has an idle timeout of its own', async (t) => {
  const udp = '[pools.p]\n[listeners.a]\nprotocol = "udp"\nbind = "127.0.0.1:0"\npool = "p"\n';
  t.equal(loadSpec(udp).listeners[0]?.settings.idleTimeoutMs, 60_000);
  t.equal(loadSpec(`${udp}idle_timeout = "5s"`).listeners[0]?.settings.idleTimeoutMs, 5_000);
});

t.test('the fast interval follows a shorter interval', async (t) => {
  const fast = (keys: string) =>
    loadSpec(`[pools.p.health]\n${keys}`).pools[0]?.health.fastIntervalMs;
  t.equal(fast('interval = "100ms"'), 100);
  t.equal(fast('interval = "10s"'), 500);
  t.equal(fast('interval = "10s"\nfast_interval = "1s"'), 1_000);
});

t.test("a backend's own cap goes before that of its pool, also when it is none", async (t) => {
  const text = `[pools.p]\nmax_connections = 7
[[pools.p.backends]]\naddress = "a:1"
[[pools.p.backends]]\naddress = "b:1"\nmax_connections = 0
[[pools.p.backends]]\naddress = "c:1"\nmax_connections = 9`;
  t.strictSame(
    loadSpec(text).pools[0]?.backends.map(({ maxConnections }) => maxConnections),
    [7, 0, 9],
  );
});

t.test('trusted proxies matter only where a header is required', async (t) => {
  const text = `[pools.p]\n[listeners.a]\nbind = "127.0.0.1:0"\npool = "p"
accept_proxy_protocol = true\ntrusted_proxies = ["10.0.0.0/8", "::1"]`;
  t.strictSame(loadSpec(text).listeners[0]?.settings.trustedProxies, [
    { family: 4, host: '10.0.0.0', prefixBits: 8 },
    { family: 6, host: '::1', prefixBits: 128 },
  ]);
});

t.test('all problems come at once, in the order of the file', async (t) => {
  const text = '[daemon]\nshutdown_timeout = 30\nenigne = "auto"\n[listeners.a]\npool = "p"\n';
  t.strictSame(problemsOf(text), [
    '2:1: daemon.shutdown_timeout: wrong type (expected "30s", a duration from "10ms" to "7d", or "0s" for no time at all; got 30)',
    '3:1: daemon.enigne: unknown key (expected engine; got "enigne")',
    '4:12: listeners.a.bind: missing (expected where to listen, as "0.0.0.0:5432"; got nothing)',
    '5:1: listeners.a.pool: no such pool (expected a table [pools.NAME] for it; got "p")',
  ]);
});

t.test('an issue separates its parts', async (t) => {
  const loaded = loadConfig('[daemon]\nworkers = 0', 'some file.toml');
  t.strictSame(loaded.ok ? [] : loaded.error, [
    {
      code: 'out-of-range',
      file: 'some file.toml',
      line: 2,
      column: 1,
      key: 'daemon.workers',
      problem: 'too small',
      expected: '"auto" or an integer from 1 to 64',
      got: '0',
    },
  ]);
});

t.test('a syntax error is the only issue of its file', async (t) => {
  t.strictSame(problemsOf('[daemon]\nenigne = 5\nworkers = two\n'), [
    '3:11: syntax: not valid TOML (expected a value: a string in quotes, a number, true, false or a list; got "t")',
  ]);
});

t.test('an unknown key names the nearest known one, or where it belongs', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'deamon = 1': '1:1: deamon: unknown key (expected daemon; got "deamon")',
    '[listener.a]': '1:2: listener: unknown key (expected listeners; got "listener")',
    '[pools.p]\npolcy = "p2c"': '2:1: pools.p.polcy: unknown key (expected policy; got "polcy")',
    '[pools.p.health]\nretries = 2':
      '2:1: pools.p.health.retries: unknown key (expected it under [pools.NAME]; got "retries")',
    '[[pools.p.backends]]\naddress = "a:1"\ninterval = "5s"':
      '3:1: pools.p.backends[0].interval: unknown key (expected it under [pools.NAME.health]; got "interval")',
    'workers = 2': '1:1: workers: unknown key (expected it under [daemon]; got "workers")',
    '[log]\n"a b" = 1':
      '2:1: log."a b": unknown key (expected level, access, format or another key of log; got "a b")',
    [`[log]\n${'x'.repeat(200)} = 1`]: `2:1: log.${'x'.repeat(200)}: unknown key (expected level, format, access or another key of log; got "${'x'.repeat(60)}…")`,
  };
  for (const [text, problem] of Object.entries(table)) {
    t.strictSame(problemsOf(text), [problem]);
  }
});

t.test('names of listeners and pools are plain', async (t) => {
  for (const name of ['a', '0', 'a-b_c.d', 'x'.repeat(64)]) {
    t.strictSame(problemsOf(`[pools."${name}"]`), [], name);
  }
  for (const name of ['', ' ', 'a b', '-a', '.a', '_a', 'é', 'a/b', 'x'.repeat(65), '__proto__']) {
    t.match(
      problemsOf(`[pools."${name}"]`),
      [/: not a usable name \(expected a name of 1 to 64 /],
      name,
    );
  }
  t.strictSame(problemsOf('[pools.constructor]\n[pools.toString]'), []);
});

t.test('no file is too deep to be read', async (t) => {
  for (const depth of [40, 20_000]) {
    const found = problemsOf(`[daemon]\na${'.a'.repeat(depth)} = 1\nworkers = 0`);
    t.match(found, [/^2:1: daemon\.a: unknown key/, /^3:1: daemon\.workers/]);
  }
});

t.test('a pool that objects inherit is not there', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const text = `[listeners.a]\nbind = "127.0.0.1:0"\npool = "${name}"`;
    t.match(problemsOf(text), [/listeners\.a\.pool: no such pool/]);
  }
});

t.test('a number beyond every bound is too large once', async (t) => {
  t.equal(problemsOf('[pools.p]\nretries = 1e99').length, 1);
});

t.test('a key that objects inherit is unknown like any other', async (t) => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    for (const text of [
      `${key} = 1`,
      `[daemon]\n${key} = 1`,
      `[[pools.p.backends]]\n${key}.x = 1`,
    ]) {
      t.match(problemsOf(text).join('\n'), key, text);
    }
  }
});

t.test('what stands where a table belongs is reported, and the rest is checked', async (t) => {
  const table = {
    'daemon = 5\nlog = 6': 2,
    '[daemon]\nengine = 1\n[listeners]\na = "x"\nb = []': 3,
    'pools = []': 1,
    '[pools.p]\nhash = 5\nhealth = "x"\noutlier = true\nbackends = {}': 4,
    '[pools.p]\nbackends = [1, [], {}, { address = "a:1" }]': 3,
    '[pools.p]\nhealth.steps = 5\nretries = -1': 3,
  };
  for (const [text, count] of Object.entries(table)) t.equal(problemsOf(text).length, count, text);
});

t.test('a key that does not belong there is reported beside its broken value', async (t) => {
  t.match(problemsOf('[pools.p.health]\nprobe = "tcp"\nstatus = 5'), [
    /health\.status: not a key of probe = "tcp"/,
    /health\.status: not between 100 and 599/,
  ]);
});

t.test('a date is no string', async (t) => {
  t.strictSame(problemsOf('[[pools.p.backends]]\naddress = "a:1"\nname = 2026-01-02'), [
    '3:1: pools.p.backends[0].name: wrong type (expected 1 to 128 characters of ASCII without spaces, and not "*" alone; got a date)',
  ]);
  t.strictSame(problemsOf('listeners = 2026-01-02T03:04:05Z'), [
    '1:1: listeners: wrong type (expected tables by name; got a date)',
  ]);
});

t.test('keys may stand in any of the forms of TOML', async (t) => {
  const forms = [
    '[pools.p.health]\ninterval = "7s"',
    '[pools]\np.health.interval = "7s"',
    'pools.p.health.interval = "7s"',
    'pools = { p = { health = { interval = "7s" } } }',
    '["pools".\'p\'.health]\n"interval" = """7s"""',
  ];
  for (const form of forms) t.equal(loadSpec(form).pools[0]?.health.intervalMs, 7_000, form);
});
