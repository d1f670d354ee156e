/** The keys of `[[pools.NAME.discovery]]` that belong to some kinds of source, and to which. */
import type { SourceKind } from '../../core/discovery_spec.js';
import { type IpEndpoint, systemEndpoint } from '../../core/endpoint.js';
import { parseAddress, parseIpEndpoint } from '../address.js';
import { fault, fits, type ReadValue, readList, readString } from '../reading.js';
import { choice, duration, flag, mixed, size } from './kinds.js';
import type { TableValue } from './node.js';
import { word } from './probe_values.js';

export const SOURCE_KINDS = [
  'dns',
  'file',
  'http',
  'etcd',
  'consul',
  'kubernetes',
  'sentinel',
  'patroni',
] as const satisfies readonly SourceKind[];

const FILE_PATH = /^\/[ -~\u00a0-\uffff]+$/;
/** RFC 1035, section 2.3.4, and the underscores of services. */
const DOMAIN_NAME = /^(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/;
/** Without a user: what stands there would be shown. */
const URL_FORM = /^https?:\/\/[^\s/?#@]+(?:[/?][!-~]*)?$/;
const MASTER_NAME = /^[!-~]{1,128}$/;
const KEY_PREFIX = /^[ -~\u00a0-\uffff]{1,1024}$/;
/** RFC 1123 labels are those of Kubernetes; Consul takes more. */
const SERVICE_NAME = /^[!-.0-~]{1,128}(?:\/[!-.0-~]{1,128})?$/;
/** RFC 6335, section 5.1. */
const PORT_NAME = /^(?=[^a-z]*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/;
const MAX_SERVERS = 8;
/** Sentinels or members that are asked. */
const MAX_PEERS = 16;
const DNS_PORT = 53;

export const KIND = choice(SOURCE_KINDS, {
  otherwise: 'it must be given',
  example: 'dns',
  doc: 'Where the members are known: records of a DNS name, a file, an address that answers over HTTP, keys of etcd, a service of Consul or Kubernetes, the sentinels of Redis, or Patroni.',
});

export const SOURCE_KEYS = {
  name: word('a domain name', DOMAIN_NAME, {
    otherwise: 'nothing',
    example: 'pg.example.org',
    doc: 'The name that is asked for, as it is: no search list is tried, and /etc/hosts is not read.',
  }),
  port: mixed(
    {
      otherwise: 'nothing',
      example: 5432,
      doc: 'dns: the port of every address; SRV records name their own. kubernetes: the name of a port of the service, or its number at the pods; it may be left out where there is one only.',
    },
    'a port from 1 to 65535, or a name of one with kubernetes',
    {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 65_535 },
        { type: 'string', pattern: PORT_NAME.source },
      ],
    },
    readPort,
  ),
  srv: flag({
    default: false,
    doc: 'true: SRV records are asked for. Those of the lowest priority come first, the others are backups; weights above 1000 shrink together, and 0 becomes 1.',
  }),
  servers: mixed(
    {
      default: [],
      doc: 'Name servers, asked in turn. Empty: those of the system.',
    },
    'a list of up to 8 addresses, each with or without a port',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_SERVERS }] },
    (raw) => readList(raw, MAX_SERVERS, 'servers', (one) => readString(one, readServer)),
  ),
  min_refresh: duration({
    default: '1s',
    min: '250ms',
    max: '1h',
    doc: 'A shorter TTL of an answer counts as this.',
  }),
  max_refresh: duration({
    default: '5m',
    min: '1s',
    max: '1d',
    doc: 'A longer TTL of an answer counts as this.',
  }),
  path: word('an absolute path', FILE_PATH, {
    otherwise: 'nothing',
    example: '/etc/sluice/members.json',
    doc: "The file: Prometheus' `file_sd` JSON, or one address a line with `#` for comments. It is looked at every 1.3 s, and a change counts when it has stood still for 200 ms; write a new file and rename it.",
  }),
  url: word('an http or https URL without a user', URL_FORM, {
    sensitive: true,
    otherwise: 'nothing',
    example: 'https://inventory.example.org/pg',
    doc: "http: what answers with Prometheus' `http_sd` JSON, always the full list. consul: an agent, as `http://127.0.0.1:8500`. Up to three redirects are followed.",
  }),
  interval: duration({
    default: '30s',
    min: '1s',
    max: '1d',
    doc: 'How often it is asked.',
  }),
  token_file: word('an absolute path', FILE_PATH, {
    sensitive: true,
    otherwise: 'none',
    example: '/etc/sluice/inventory.token',
    doc: 'The file that holds a bearer token; read at each question, so that it can be rotated. It goes to the host of `url` only; to Consul as `X-Consul-Token`.',
  }),
  addresses: mixed(
    {
      default: [],
      doc: 'Where the sentinels are. All of them are asked; the one that knows of the last failover is believed.',
    },
    'a list of 1 to 16 addresses with ports',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_PEERS }] },
    (raw) => readList(raw, MAX_PEERS, 'addresses', (one) => readString(one, parseAddress)),
  ),
  master: word('a name without control characters', MASTER_NAME, {
    otherwise: 'nothing',
    example: 'mymaster',
    doc: 'What the sentinels call the primary and its replicas.',
  }),
  urls: mixed(
    {
      sensitive: true,
      default: [],
      doc: 'patroni: REST addresses of members, as "http://10.0.0.1:8008". All of them are asked once per second; each knows the whole cluster, and the one with the newest leader is believed. etcd: client addresses, as "http://10.0.0.1:2379"; they are tried in turn.',
    },
    'a list of 1 to 16 http or https URLs without a user or a query',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_PEERS }] },
    (raw) => readList(raw, MAX_PEERS, 'URLs', (one) => readString(one, readUrl)),
  ),
  role: choice(['primary', 'replica', 'any'], {
    default: 'primary',
    doc: 'Which of them are members. A change of role counts at once: it is neither held nor suspicious, and sessions at the former primary end as `on_down` says.',
  }),
  max_lag: size({
    default: '0B',
    min: '0B',
    max: '1GiB',
    doc: 'A replica that is further behind is left out. 0: none is.',
  }),
  password_file: word('an absolute path', FILE_PATH, {
    sensitive: true,
    otherwise: 'none',
    example: '/etc/sluice/sentinel.password',
    doc: 'The file that holds the password of the sentinels, or of `user`; read at each question.',
  }),
  prefix: word('text without control characters', KEY_PREFIX, {
    otherwise: 'nothing',
    example: '/services/pg/',
    doc: 'Each key that begins with this is a member. Its value is an address, or JSON: `{"address": "10.0.0.1:5432", "name": "pg1", "weight": 2, "max_connections": 100, "backup": true}`. A value that cannot be read is left out alone, and reported. A key with a lease goes when the lease ends.',
  }),
  user: word('a name without control characters', MASTER_NAME, {
    otherwise: 'none',
    example: 'sluice',
    doc: 'The user to log in as, where the cluster asks for a password; it needs the right to read `prefix`.',
  }),
  service: word('a name, or "namespace/name" with kubernetes', SERVICE_NAME, {
    otherwise: 'nothing',
    example: 'pg',
    doc: 'consul: the service; instances whose checks all pass are members. kubernetes: "namespace/name" of a Service; its EndpointSlices are watched. A terminating endpoint drains.',
  }),
  tag: word('a name without control characters', MASTER_NAME, {
    otherwise: 'any',
    example: 'v2',
    doc: 'Only instances with this tag.',
  }),
  stale: flag({
    default: false,
    doc: 'true: any server of Consul may answer, with what it knew last, also while there is no leader.',
  }),
  kubeconfig: word('an absolute path', FILE_PATH, {
    sensitive: true,
    otherwise: 'the service account of the pod',
    example: '/etc/sluice/kubeconfig',
    doc: 'How to reach the cluster from outside; read at each question. Programs that it names (`exec`) are not run.',
  }),
  zone: word('a name without control characters', MASTER_NAME, {
    otherwise: 'none',
    example: 'eu-1a',
    doc: 'Endpoints with hints for this zone, or without hints in it, are preferred: the others are backups.',
  }),
  ca_file: word('an absolute path', FILE_PATH, {
    otherwise: "the system's",
    example: '/etc/ssl/certs/ca-certificates.crt',
    doc: 'PEM file of the authorities that are believed.',
  }),
} as const;

export type SourceKey = keyof typeof SOURCE_KEYS;
export type SourceValue = TableValue<typeof SOURCE_KEYS>;

interface SourceUse {
  readonly needs: readonly SourceKey[];
  readonly takes: readonly SourceKey[];
}

/** Which keys each kind of source takes, and which of them it cannot do without. */
export const SOURCE_USES: Readonly<Record<SourceKind, SourceUse>> = {
  dns: {
    needs: ['name'],
    takes: ['name', 'port', 'srv', 'servers', 'min_refresh', 'max_refresh'],
  },
  file: { needs: ['path'], takes: ['path'] },
  http: { needs: ['url'], takes: ['url', 'interval', 'token_file', 'ca_file'] },
  etcd: {
    needs: ['urls', 'prefix'],
    takes: ['urls', 'prefix', 'user', 'password_file', 'ca_file'],
  },
  consul: {
    needs: ['url', 'service'],
    takes: ['url', 'service', 'tag', 'stale', 'token_file', 'ca_file'],
  },
  kubernetes: { needs: ['service'], takes: ['service', 'port', 'kubeconfig', 'zone'] },
  sentinel: {
    needs: ['addresses', 'master'],
    takes: ['addresses', 'master', 'role', 'password_file'],
  },
  patroni: { needs: ['urls'], takes: ['urls', 'role', 'max_lag', 'ca_file'] },
};

/** The kinds of source that take `key`. */
export function sourcesWith(key: SourceKey): readonly SourceKind[] {
  return SOURCE_KINDS.filter((kind) => SOURCE_USES[kind].takes.includes(key));
}

function readUrl(raw: string): ReadValue<string> {
  const isFit = URL_FORM.test(raw) && URL.canParse(raw) && !/[?#]/.test(raw);
  return isFit ? fits(raw) : fault('malformed', 'no such URL');
}

function readPort(raw: unknown): ReadValue<number | string> {
  if (typeof raw === 'string') {
    return PORT_NAME.test(raw) ? fits(raw) : fault('malformed', 'no name of a port');
  }
  if (typeof raw !== 'number') return fault('wrong-type', 'wrong type');
  const isPort = Number.isInteger(raw) && raw >= 1 && raw <= 65_535;
  return isPort ? fits(raw) : fault('out-of-range', 'out of range');
}

function readServer(raw: string): ReadValue<IpEndpoint> {
  const bare = raw.includes('%') ? null : systemEndpoint(raw, DNS_PORT);
  if (bare !== null) return fits(bare);
  const read = parseIpEndpoint(raw);
  if (read.ok && read.value.port === 0) return fault('out-of-range', 'port 0 cannot be asked');
  return read;
}
