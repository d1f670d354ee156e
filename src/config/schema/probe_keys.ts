/** The keys of `[pools.NAME.health]` that belong to some kinds of probe, and to which of them. */
import { DNS_TYPES, type DnsType } from '../../core/dns_codes.js';
import { choice, duration, flag, size } from './kinds.js';
import type { TableValue } from './node.js';
import { payload, RCODES, STATUS_RANGES, STEPS, word } from './probe_values.js';

const PRINTABLE = /^[\x21-\x7e]+$/;
/** Written without classes that not every editor's regular expressions know. */
const NO_CONTROL = /^[ -~\u00a0-\uffff]+$/;
/** RFC 1035, section 2.3.4: labels of up to 63 octets; "." is the root. */
const DOMAIN_NAME = /^(?:\.|(?:[A-Za-z0-9_/*-]{1,63}\.)*[A-Za-z0-9_/*-]{1,63}\.?)$/;
const FILE_PATH = /^\/[ -~\u00a0-\uffff]+$/;

export const PROBE_KINDS = [
  'none',
  'tcp',
  'send-expect',
  'http',
  'tls',
  'redis',
  'postgres',
  'mysql',
  'dns',
  'udp',
] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

export const PROBE = choice(PROBE_KINDS, {
  default: 'tcp',
  doc: 'What one attempt does. "tcp" connects; "none" takes every backend as up. A pool for UDP needs "dns", "udp" or "none", unless its backends answer TCP too.',
});

export const PROBE_KEYS = {
  send: payload('PING\\r\\n', 'The bytes to send.'),
  expect: payload(
    '+PONG',
    'Bytes that must be in the answer. For udp without it: it is enough that no ICMP unreachable comes within `timeout`.',
  ),
  steps: STEPS,
  minimum_size: size({
    default: '0B',
    min: '0B',
    max: '64KiB',
    doc: 'Once this much of an answer has arrived without the expected bytes, the probe has failed. 0: it waits for more until `timeout`.',
  }),
  method: choice(['GET', 'HEAD', 'OPTIONS'], { default: 'GET', doc: 'The method.' }),
  path: word('a path that begins with "/"', /^\/[\x21-\x7e]*$/, {
    sensitive: true,
    default: '/',
    doc: 'The path, with a query if need be.',
  }),
  status: STATUS_RANGES,
  host: word('a host name', PRINTABLE, {
    otherwise: "the backend's address",
    example: 'db.example',
    doc: 'The Host header.',
  }),
  tls: flag({ default: false, doc: 'true: the probe talks TLS (postgres: after an SSLRequest).' }),
  tls_server_name: word('a host name', PRINTABLE, {
    otherwise: "the backend's host",
    example: 'db.example',
    doc: 'The server name that is sent and, with `tls_verify`, checked.',
  }),
  tls_verify: flag({
    default: true,
    doc: 'false: any certificate will do.',
  }),
  tls_ca_file: word('an absolute path', FILE_PATH, {
    otherwise: "the system's",
    example: '/etc/ssl/certs/ca-certificates.crt',
    doc: 'PEM file of the authorities that are believed.',
  }),
  expiry_warning: duration({
    default: '14d',
    min: '1m',
    max: '365d',
    zero: 'never',
    doc: 'Warn when the certificate ends within this time.',
  }),
  role: choice(['any', 'primary', 'replica'], {
    default: 'any',
    doc: 'The role that counts as up. For postgres it needs `user`.',
  }),
  user: word('a name without control characters', NO_CONTROL, {
    otherwise: 'none',
    example: 'sluice',
    doc: 'The user that the probe logs in as. Without it a postgres probe only asks whether the server takes clients.',
  }),
  database: word('a name without control characters', NO_CONTROL, {
    default: 'postgres',
    doc: 'What to log in to.',
  }),
  password_file: word('an absolute path', FILE_PATH, {
    sensitive: true,
    otherwise: 'none',
    example: '/etc/sluice/probe.password',
    doc: 'The file that holds the password; read at each probe, so that it can be rotated.',
  }),
  password_env: word('the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
    sensitive: true,
    otherwise: 'none',
    example: 'SLUICE_PROBE_PASSWORD',
    doc: 'The environment variable that holds the password.',
  }),
  allow_cleartext_password: flag({
    default: false,
    doc: 'true: the password goes as it is, without TLS, to a server that asks for it so (LDAP, PAM, `password` in pg_hba.conf). With `tls` it may go in any case.',
  }),
  max_lag: duration({
    default: '0s',
    min: '1ms',
    max: '7d',
    zero: 'no limit',
    doc: 'A replica whose replay is further behind is not ready. While nothing streams to it, the time since the probe last saw the stream counts (a daemon that never saw it: the age of the last replayed transaction). So without a primary every replica leaves after this time: make it longer than a failover takes. This key needs `user`.',
  }),
  name: word('a domain name', DOMAIN_NAME, {
    otherwise: 'nothing',
    example: 'health.example',
    doc: 'The name that is asked for.',
  }),
  type: choice(Object.keys(DNS_TYPES) as DnsType[], {
    default: 'A',
    doc: 'The type of record that is asked for.',
  }),
  rcodes: RCODES,
} as const;

export type ProbeKey = keyof typeof PROBE_KEYS;
export type ProbeValue = TableValue<typeof PROBE_KEYS & { readonly probe: typeof PROBE }>;

const TLS_OPTIONS = ['tls_server_name', 'tls_verify', 'tls_ca_file'] as const;
const LOGIN = ['user', 'password_file', 'password_env'] as const;

export interface ProbeUse {
  /** For the reference: what a success means. */
  readonly proves: string;
  /** For the reference: what it leaves in the server's log, at the server's default settings. */
  readonly leaves: string;
  readonly needs: readonly ProbeKey[];
  readonly takes: readonly ProbeKey[];
}

/** Which keys each kind of probe takes, and which of them it cannot do without. */
export const PROBE_USES: Readonly<Record<ProbeKind, ProbeUse>> = {
  none: {
    proves: 'Nothing: every backend counts as up.',
    leaves: 'Nothing.',
    needs: [],
    takes: [],
  },
  tcp: {
    proves: 'The backend accepts connections.',
    leaves:
      "PostgreSQL, Redis, nginx (`http`): nothing. HAProxy, nginx (`stream`): the line of a session without bytes from the client (HAProxy ends it with `--`, or with `CC` when it had not reached its own server yet), none with HAProxy's `option dontlognull`. MariaDB: a warning each time, and it counts as an aborted connection: use `mysql`.",
    needs: [],
    takes: [],
  },
  'send-expect': {
    proves: 'It answers with the expected bytes.',
    leaves: 'Whatever it logs for such a conversation.',
    needs: [],
    takes: ['send', 'expect', 'steps', 'minimum_size', 'tls', ...TLS_OPTIONS],
  },
  http: {
    proves:
      'It answers a request with one of the status codes. Status 429, a header `X-Health: degraded` or a body that begins with `degraded` halves its weight.',
    leaves: 'One access line, if it writes any.',
    needs: [],
    takes: ['method', 'path', 'status', 'host', 'tls', ...TLS_OPTIONS],
  },
  tls: {
    proves: 'It completes a TLS handshake.',
    leaves: 'nginx: nothing.',
    needs: [],
    takes: [...TLS_OPTIONS, 'expiry_warning'],
  },
  redis: {
    proves:
      'It answers PING, and has the role; a replica that is wanted as one has its link to the primary.',
    leaves: 'Redis: nothing.',
    needs: [],
    takes: ['role', ...LOGIN, 'tls', ...TLS_OPTIONS],
  },
  postgres: {
    proves:
      'It takes clients (it neither starts, stops nor is full), even if it refuses this one; with `user`: it let that user in, and has the role.',
    leaves:
      'PostgreSQL: nothing, with `user`. Without, the name `postgres` is used: nothing if there is such a role or a password is asked for, else a `FATAL` line each time.',
    needs: [],
    takes: [
      'role',
      ...LOGIN,
      'allow_cleartext_password',
      'database',
      'max_lag',
      'tls',
      ...TLS_OPTIONS,
    ],
  },
  mysql: {
    proves:
      'It answers a login, even if by "access denied". An account `sluice` without password and rights keeps that out of its log.',
    leaves: 'MariaDB: nothing if it has the account `sluice`, else an "access denied" each time.',
    needs: [],
    takes: [],
  },
  dns: {
    proves: 'It answers a question over UDP with one of the response codes.',
    leaves: 'dnsmasq: nothing.',
    needs: ['name'],
    takes: ['name', 'type', 'rcodes'],
  },
  udp: {
    proves: 'It answers a datagram, or at least no ICMP error says that it is not there.',
    leaves: 'Whatever it logs for such a datagram.',
    needs: ['send'],
    takes: ['send', 'expect'],
  },
};

/** The kinds of probe that take `key`. */
export function takersOf(key: ProbeKey): readonly ProbeKind[] {
  return PROBE_KINDS.filter((kind) => PROBE_USES[kind].takes.includes(key));
}
