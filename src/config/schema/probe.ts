/** The keys of `[pools.NAME.health]` that belong to some kinds of probe, and the probes they make. */
import { present, unreachable } from '../../core/assert.js';
import type { ProbeSpec, ProbeTls, SecretSource, SendExpectStep } from '../../core/spec.js';
import { choice, duration, flag, size, type TableValue } from './kinds.js';
import { DNS_RCODES, payload, STATUS, STEPS, secretWord, word } from './probe_values.js';

const PRINTABLE = /^[\x21-\x7e]+$/;
const NO_CONTROL = /^[^\p{Cc}]+$/u;
const FILE_PATH = /^\/[^\0\r\n]+$/;

/** Every key that belongs to some kinds of probe only; PROBE_USES says to which. */
export const PROBE_KEYS = {
  probe: choice(
    ['none', 'tcp', 'send-expect', 'http', 'tls', 'redis', 'postgres', 'mysql', 'dns', 'udp'],
    {
      default: 'tcp',
      doc: 'What one attempt does. "tcp" connects; "none" takes every backend as up. A pool for UDP needs "dns", "udp" or "none", unless its backends answer TCP too.',
    },
  ),
  send: payload({ otherwise: 'nothing', doc: 'send-expect and udp: the bytes to send.' }),
  expect: payload({
    otherwise: 'nothing',
    doc: 'send-expect: bytes that must be in the answer. udp: the same; without it, it is enough that no ICMP unreachable comes within `timeout`.',
  }),
  steps: STEPS,
  minimum_size: size({
    otherwise: '"0B"',
    min: '0B',
    max: '64KiB',
    doc: 'send-expect: so much must have arrived before an answer without the expected bytes is a "no".',
  }),
  method: choice(['GET', 'HEAD', 'OPTIONS'], { otherwise: '"GET"', doc: 'http: the method.' }),
  path: word('http: the path.', '"/"', 'a path that begins with "/"', /^\/[\x21-\x7e]*$/),
  status: STATUS,
  host: word('http: the Host header.', "the backend's address", 'a host name', PRINTABLE),
  tls: flag({
    otherwise: 'false',
    doc: 'send-expect, http, redis and postgres: true talks TLS (postgres: after SSLRequest).',
  }),
  tls_server_name: word(
    'The server name that is sent and, with `tls_verify`, checked.',
    "the backend's host",
    'a host name',
    PRINTABLE,
  ),
  tls_verify: flag({
    otherwise: 'true',
    doc: 'false takes any certificate. Traffic is not protected by this, only the probe is.',
  }),
  tls_ca_file: word(
    'PEM file of the authorities that are believed.',
    "the system's",
    'an absolute path',
    FILE_PATH,
  ),
  expiry_warning: duration({
    otherwise: '"14d"',
    min: '1m',
    max: '365d',
    zero: 'never',
    doc: 'tls: warn when the certificate ends within this time.',
  }),
  role: choice(['any', 'primary', 'replica'], {
    otherwise: '"any"',
    doc: 'redis and postgres: the role that counts as up. postgres needs `user` for it.',
  }),
  user: word(
    'redis and postgres: who logs in. Without it postgres is only asked whether it would talk.',
    'nobody',
    'a name without control characters',
    NO_CONTROL,
  ),
  database: word('postgres: what to log in to.', '"postgres"', 'a name', NO_CONTROL),
  password_file: secretWord(
    'redis and postgres: the file that holds the password; read at each probe, so it can be rotated. A newline at its end does not count.',
    'an absolute path',
    FILE_PATH,
  ),
  password_env: secretWord(
    'redis and postgres: the environment variable that holds the password.',
    'the name of an environment variable',
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  ),
  max_lag: duration({
    otherwise: '"0s"',
    min: '1ms',
    max: '7d',
    zero: 'any',
    doc: 'postgres: a replica whose replay is further behind is not ready. Needs `user`.',
  }),
  name: word('dns: the name that is asked for.', 'nothing', 'a domain name', PRINTABLE),
  type: choice(['A', 'AAAA', 'NS', 'SOA', 'TXT', 'MX', 'SRV', 'PTR'], {
    otherwise: '"A"',
    doc: 'dns: the type of record that is asked for.',
  }),
  rcodes: DNS_RCODES,
} as const;

export type ProbeValue = TableValue<typeof PROBE_KEYS>;
export type ProbeKind = ProbeValue['probe'];
export type ProbeKey = Exclude<keyof typeof PROBE_KEYS, 'probe'>;

const TLS_OPTIONS = ['tls_server_name', 'tls_verify', 'tls_ca_file'] as const;
const LOGIN = ['user', 'password_file', 'password_env'] as const;

/** Which keys each kind of probe takes, and which of them it cannot do without. */
export const PROBE_USES: Readonly<
  Record<ProbeKind, { readonly needs: readonly ProbeKey[]; readonly takes: readonly ProbeKey[] }>
> = {
  none: { needs: [], takes: [] },
  tcp: { needs: [], takes: [] },
  'send-expect': {
    needs: [],
    takes: ['send', 'expect', 'steps', 'minimum_size', 'tls', ...TLS_OPTIONS],
  },
  http: { needs: [], takes: ['method', 'path', 'status', 'host', 'tls', ...TLS_OPTIONS] },
  tls: { needs: [], takes: [...TLS_OPTIONS, 'expiry_warning'] },
  redis: { needs: [], takes: ['role', ...LOGIN, 'tls', ...TLS_OPTIONS] },
  postgres: { needs: [], takes: ['role', ...LOGIN, 'database', 'max_lag', 'tls', ...TLS_OPTIONS] },
  mysql: { needs: [], takes: [] },
  dns: { needs: ['name'], takes: ['name', 'type', 'rcodes'] },
  udp: { needs: ['send'], takes: ['send', 'expect'] },
};

/** `value` has passed the checks: only keys of its kind, and those that the kind needs. */
export function probeSpec(value: ProbeValue): ProbeSpec {
  const kind = value.probe;
  switch (kind) {
    case 'none':
    case 'tcp':
    case 'mysql':
      return { kind };
    case 'send-expect':
      return { kind, ...conversation(value), tls: optionalTls(value) };
    case 'http':
      return { kind, ...httpRequest(value), tls: optionalTls(value) };
    case 'tls':
      return { kind, tls: tlsOptions(value), expiryWarningMs: value.expiry_warning ?? 14 * DAY_MS };
    case 'redis':
      return { kind, ...login(value), tls: optionalTls(value) };
    case 'postgres':
      return {
        kind,
        ...login(value),
        database: value.database ?? 'postgres',
        maxLagMs: value.max_lag ?? 0,
        tls: optionalTls(value),
      };
    case 'dns':
      return { kind, ...question(value) };
    case 'udp': {
      const send = present(value.send, 'a checked udp probe sends something');
      return { kind, send, expect: value.expect ?? null };
    }
    default:
      return unreachable(kind);
  }
}

const DAY_MS = 86_400_000;

function conversation(value: ProbeValue): {
  steps: readonly SendExpectStep[];
  minimumBytes: number;
} {
  const single = { send: value.send, expect: value.expect };
  const steps = value.steps.length > 0 ? value.steps : [single];
  return {
    steps: steps.map(({ send, expect }) => ({ send: send ?? null, expect: expect ?? null })),
    minimumBytes: value.minimum_size ?? 0,
  };
}

function httpRequest(value: ProbeValue) {
  return {
    method: value.method ?? 'GET',
    path: value.path ?? '/',
    host: value.host ?? null,
    status: value.status ?? [{ from: 200, to: 399 }],
  };
}

function question(value: ProbeValue) {
  return {
    name: present(value.name, 'a checked dns probe asks for a name'),
    type: value.type ?? 'A',
    rcodes: value.rcodes ?? ['NOERROR'],
  };
}

function login(value: ProbeValue) {
  const role = value.role ?? 'any';
  return { role, user: value.user ?? null, password: secretOf(value) };
}

function secretOf(value: ProbeValue): SecretSource | null {
  if (value.password_file !== undefined) return { kind: 'file', path: value.password_file };
  if (value.password_env !== undefined) return { kind: 'environment', name: value.password_env };
  return null;
}

function optionalTls(value: ProbeValue): ProbeTls | null {
  return value.tls === true ? tlsOptions(value) : null;
}

function tlsOptions(value: ProbeValue): ProbeTls {
  return {
    serverName: value.tls_server_name ?? null,
    verify: value.tls_verify ?? true,
    caFile: value.tls_ca_file ?? null,
  };
}
