/** `[pools.NAME]`: backends that serve the same, and how one of them is chosen. */
import { type IpEndpoint, isWildcard } from '../../core/endpoint.js';
import { POLICY_NAMES, type PoolSettings, type PoolSpec } from '../../core/spec.js';
import { parseHost } from '../address.js';
import { fault, type ReadValue, readList, readString } from '../reading.js';
import { BACKEND, backendSpec, MAX_CONNECTIONS } from './backend.js';
import { DISCOVERIES, discoverySpec } from './discovery.js';
import { HASH, policySpec } from './hash.js';
import { HEALTH, healthSpec } from './health.js';
import { choice, duration, integer, mixed } from './kinds.js';
import { listed, table, type ValueOf } from './node.js';
import { OUTLIER, outlierSpec } from './outlier.js';

/** A million ports and more. */
const MAX_SOURCES = 64;

export const POOL = table('Backends that serve the same, and how one of them is chosen.', {
  policy: choice(POLICY_NAMES, {
    default: 'p2c',
    doc: 'How a backend is chosen among the eligible ones. "p2c": the lesser load of two draws.',
  }),
  send_proxy_protocol: choice(['off', 'v1', 'v2'], {
    default: 'off',
    doc: "The PROXY protocol header that gives the backend the client's address. UDP needs v2.",
  }),
  connect_timeout: duration({
    default: '5s',
    min: '10ms',
    max: '10m',
    doc: 'How long one dial may take, waiting for room in the backlog of a unix socket included, and how long a session waits for the first verdict of health.',
  }),
  source: mixed(
    {
      default: [],
      doc: "Addresses of this machine to dial backends from, in turn, those of the backend's family; [] is the choice of the kernel. One address has some 28,000 ports (net.ipv4.ip_local_port_range), and no more TCP sessions to one backend are possible from it; two have twice as many. One without a free port, or that is not here, is passed over; only when none is left the session waits for one, which says nothing of the backend. Probes dial from the first of them that is here.",
    },
    'a list of IP addresses without ports',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_SOURCES }] },
    readSources,
  ),
  retries: integer({
    default: 2,
    min: 0,
    max: 100,
    doc: 'Further backends after a failed dial, each one not tried yet.',
  }),
  max_connections: integer({
    default: 0,
    min: 0,
    max: MAX_CONNECTIONS,
    doc: 'Cap of sessions per backend, unless the backend sets its own. 0 is none.',
  }),
  queue_size: integer({
    default: 0,
    min: 0,
    max: 1_000_000,
    doc: 'Sessions that may wait while every backend is at its cap. 0: they are refused, by a reset. TCP only.',
  }),
  queue_timeout: duration({
    default: '5s',
    min: '10ms',
    max: '1h',
    doc: 'How long a session waits in the queue.',
  }),
  drain_timeout: duration({
    default: '5m',
    min: '10ms',
    max: '7d',
    zero: 'no time at all',
    doc: 'How long the TCP sessions of a removed backend may run on. Its UDP flows choose another backend with their next datagram.',
  }),
  drain_spread: duration({
    default: '30s',
    min: '10ms',
    max: '1d',
    zero: 'all at once',
    doc: 'The span over which the sessions that are left after `drain_timeout` are closed.',
  }),
  slow_start: duration({
    default: '0s',
    min: '10ms',
    max: '1d',
    zero: 'off',
    doc: 'How long weight and cap of a backend that came back take to grow to their full value.',
  }),
  on_down: choice(['keep', 'close'], {
    default: 'keep',
    doc: 'What happens to the sessions of a backend that health declares down.',
  }),
  on_down_spread: duration({
    default: '0s',
    min: '10ms',
    max: '1d',
    zero: 'all at once',
    doc: 'With `on_down = "close"`: the span over which those sessions are closed.',
  }),
  panic_percent: integer({
    default: 0,
    min: 0,
    max: 100,
    doc: 'When a smaller share than this is well, all backends are used, backups too, whatever probes and ejections say. 0: never.',
  }),
  udp_responses: integer({
    default: 0,
    min: 0,
    max: 1_000_000,
    doc: 'UDP: a flow ends after this many replies. 0: by `idle_timeout` only.',
  }),
  backups: choice(['all', 'first'], {
    default: 'all',
    doc: 'Which backups serve while no other backend is eligible. "all": they share the sessions. "first": one at a time, the first eligible one in the order of the file; those of discovery come behind, by address. A full one is not eligible.',
  }),
  rebalance_percent: integer({
    default: 0,
    min: 0,
    max: 100,
    doc: 'After a backend came back, at most this share of the TCP sessions is closed per minute, so that clients connect again, until the load is level: those older than a minute, the longest idle first. Not with source-hash. 0: off.',
  }),
  hash: HASH,
  health: HEALTH,
  outlier: OUTLIER,
  backends: listed(BACKEND),
  discovery: DISCOVERIES,
});

export type PoolValue = ValueOf<typeof POOL>;

/** `value` has passed the checks. */
export function poolSpec(name: string, value: PoolValue): PoolSpec {
  return {
    name,
    settings: poolSettings(value),
    whileHeld: 'keep',
    drainTimeoutMs: value.drain_timeout,
    drainSpreadMs: value.drain_spread,
    slowStartMs: value.slow_start,
    onDown: value.on_down,
    onDownSpreadMs: value.on_down_spread,
    backups: value.backups,
    rebalancePercent: value.rebalance_percent,
    health: healthSpec(value.health),
    backends: value.backends.map((backend) => backendSpec(backend, value.max_connections)),
    discovery: value.discovery.map((source) => discoverySpec(source, value.max_connections)),
  };
}

function poolSettings(value: PoolValue): PoolSettings {
  return {
    policy: policySpec(value.policy, value.hash),
    sendProxyProtocol: value.send_proxy_protocol,
    sources: value.source,
    connectTimeoutMs: value.connect_timeout,
    retries: value.retries,
    queueSize: value.queue_size,
    queueTimeoutMs: value.queue_timeout,
    panicPercent: value.panic_percent,
    udpResponses: value.udp_responses,
    heldAtMost: 0,
    outlier: value.outlier === undefined ? null : outlierSpec(value.outlier),
  };
}

function readSources(raw: unknown): ReadValue<readonly IpEndpoint[]> {
  const read = readList(raw, MAX_SOURCES, 'addresses', (one) => readString(one, readSource));
  if (!read.ok) return read;
  const twice = read.value.find(
    ({ host }, at) => read.value.findIndex((one) => one.host === host) < at,
  );
  return twice === undefined ? read : fault('duplicate', `${twice.host} stands there twice`);
}

function readSource(raw: string): ReadValue<IpEndpoint> {
  const read = parseHost(raw);
  if (!read.ok || isOneMachine(read.value)) return read;
  return fault('malformed', 'no address of one machine; [] leaves the choice to the kernel');
}

/** Neither a wildcard nor an address of many: multicast (RFC 5771, RFC 4291 2.7), broadcast. */
function isOneMachine(endpoint: IpEndpoint): boolean {
  const { family, host } = endpoint;
  const isMulticast = family === 6 ? host.startsWith('ff') : /^2(?:2[4-9]|3\d)\./.test(host);
  return !isWildcard(endpoint) && !isMulticast && host !== '255.255.255.255';
}
