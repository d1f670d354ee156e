/** From the keys of a health table to the probe that they ask for. */
import t from 'tap';
import { loadSpec } from '../../support/load_spec.js';

const probe = (keys: string): unknown =>
  loadSpec(`[pools.p.health]\n${keys}`).pools[0]?.health.probe;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

t.test('each kind of probe has its defaults', async (t) => {
  t.strictSame(probe(''), { kind: 'tcp' });
  t.strictSame(probe('probe = "none"'), { kind: 'none' });
  t.strictSame(probe('probe = "mysql"'), { kind: 'mysql' });
  t.strictSame(probe('probe = "http"'), {
    kind: 'http',
    method: 'GET',
    path: '/',
    status: [{ from: 200, to: 399 }],
    host: null,
    tls: null,
  });
  t.strictSame(probe('probe = "tls"'), {
    kind: 'tls',
    tls: { serverName: null, verify: true, caFile: null },
    expiryWarningMs: 14 * 86_400_000,
  });
  t.strictSame(probe('probe = "redis"'), {
    kind: 'redis',
    role: 'any',
    user: null,
    password: null,
    tls: null,
  });
  t.strictSame(probe('probe = "postgres"'), {
    kind: 'postgres',
    role: 'any',
    user: null,
    database: 'postgres',
    password: null,
    maxLagMs: 0,
    allowCleartextPassword: false,
    tls: null,
  });
  t.strictSame(probe('probe = "dns"\nname = "example.org"'), {
    kind: 'dns',
    name: 'example.org',
    type: 'A',
    rcodes: ['NOERROR'],
  });
  t.strictSame(probe('probe = "udp"\nsend = "x"'), { kind: 'udp', send: bytes('x'), expect: null });
});

t.test('every key of a probe arrives', async (t) => {
  t.strictSame(
    probe(`probe = "http"\nmethod = "HEAD"\npath = "/replica?lag=1MB"\nhost = "h"
status = [200, "301-308"]\ntls = true\ntls_server_name = "s"\ntls_verify = false
tls_ca_file = "/ca.pem"`),
    {
      kind: 'http',
      method: 'HEAD',
      path: '/replica?lag=1MB',
      status: [
        { from: 200, to: 200 },
        { from: 301, to: 308 },
      ],
      host: 'h',
      tls: { serverName: 's', verify: false, caFile: '/ca.pem' },
    },
  );
  t.strictSame(
    probe(`probe = "postgres"\nrole = "replica"\nuser = "u"\ndatabase = "d"
password_file = "/p"\nmax_lag = "5s"\ntls = true`),
    {
      kind: 'postgres',
      role: 'replica',
      user: 'u',
      database: 'd',
      password: { kind: 'file', path: '/p' },
      maxLagMs: 5_000,
      allowCleartextPassword: false,
      tls: { serverName: null, verify: true, caFile: null },
    },
  );
  t.match(probe('probe = "redis"\nuser = "u"\npassword_env = "P"'), {
    user: 'u',
    password: { kind: 'environment', name: 'P' },
  });
  t.match(probe('probe = "dns"\nname = "."\ntype = "NS"\nrcodes = ["NXDOMAIN", "REFUSED"]'), {
    name: '.',
    type: 'NS',
    rcodes: ['NXDOMAIN', 'REFUSED'],
  });
  t.match(probe('probe = "tls"\nexpiry_warning = "0s"'), { expiryWarningMs: 0 });
});

t.test('a conversation is one pair, or steps', async (t) => {
  t.strictSame(probe(`probe = "send-expect"\nsend = 'PING\\r\\n'\nexpect = "+PONG"`), {
    kind: 'send-expect',
    steps: [{ send: bytes('PING\r\n'), expect: bytes('+PONG') }],
    minimumBytes: 0,
    tls: null,
  });
  t.strictSame(
    probe(`probe = "send-expect"\nminimum_size = "1KiB"\ntls = true
[[pools.p.health.steps]]\nexpect = "220"\n[[pools.p.health.steps]]\nsend = "hex: 00 ff"`),
    {
      kind: 'send-expect',
      steps: [
        { send: null, expect: bytes('220') },
        { send: Uint8Array.of(0, 255), expect: null },
      ],
      minimumBytes: 1_024,
      tls: { serverName: null, verify: true, caFile: null },
    },
  );
});

t.test('a status is a number, a string, a range, or a list of those', async (t) => {
  const status = (value: string): unknown => {
    const found = probe(`probe = "http"\nstatus = ${value}`);
    return (found as { status: readonly { from: number; to: number }[] }).status.map(
      ({ from, to }) => `${from}-${to}`,
    );
  };
  t.strictSame(status('200'), ['200-200']);
  t.strictSame(status('"204"'), ['204-204']);
  t.strictSame(status('"200-299"'), ['200-299']);
  t.strictSame(status('[503, "200-299"]'), ['503-503', '200-299']);
});
