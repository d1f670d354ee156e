/** `[listeners.NAME]`: where clients come in. */

import { present } from '../../core/assert.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { ListenerSpec } from '../../core/spec.js';
import { parseEndpoint } from '../address.js';
import { fault, fits, type ReadValue, readList, readString } from '../reading.js';
import { ACCESS, accessSpec } from './access.js';
import { blockList } from './blocks.js';
import { choice, duration, flag, integer, mixed, size, text } from './kinds.js';
import { LIMITS, limitsSpec } from './limits.js';
import { table, type ValueOf } from './node.js';
import { POSTGRES, postgresSpec } from './postgres.js';
import { ROUTES, routeSpec } from './route.js';

/** Sockets and blocks of one listener: far more than one machine has addresses. */
const MAX_BINDS = 64;
const MAX_BLOCKS = 1_024;

export const IDLE_TIMEOUT_TCP_MS = 3_600_000;
export const IDLE_TIMEOUT_UDP_MS = 60_000;

const STRING = { type: 'string', minLength: 1 };

export const LISTENER = table(
  'An address, or several, and a protocol that clients reach. Its sessions go to one pool, or to several by routes.',
  {
    protocol: choice(['tcp', 'udp'], { default: 'tcp', doc: 'What clients speak.' }),
    bind: mixed(
      {
        required: true,
        example: '0.0.0.0:5432',
        doc: 'Where it listens; a list opens several sockets. UNIX sockets are for TCP. "[::]" means IPv6 only: for both, list "0.0.0.0:PORT" and "[::]:PORT". Port 0 takes any free port.',
      },
      '"address:port", "[IPv6 address]:port" or "unix:/path", or a list of them',
      { anyOf: [STRING, { type: 'array', items: STRING, minItems: 1, maxItems: MAX_BINDS }] },
      readBind,
    ),
    bind_missing: flag({
      default: false,
      doc: 'true: an address that this machine does not have is bound all the same (IP_FREEBIND), and serves from the moment that it comes: a virtual address, which another machine has now. false: a start or a reload that would bind it is refused.',
    }),
    pool: text(
      {
        required: true,
        example: 'example',
        doc: 'The pool that serves it; with routes, those that no route takes. "" refuses them: `no-route`.',
      },
      'the name of a pool, or "" to refuse',
      (raw) => fits(raw),
    ),
    accept_proxy_protocol: flag({
      default: false,
      doc: 'true: every connection must begin with a PROXY protocol header, v1 or v2 (UDP: every datagram, v2), and must come from `trusted_proxies`. The client is the one that the header names; where it names none (UNKNOWN, UNSPEC, LOCAL) it is the proxy itself, for `access`, `limits` and routes, too.',
    }),
    trusted_proxies: blockList(MAX_BLOCKS, {
      default: [],
      doc: 'Addresses and CIDR blocks of the proxies whose header is believed. Needed by `accept_proxy_protocol`, except for UNIX sockets: a process that may connect there is trusted.',
    }),
    max_sessions: integer({
      default: 0,
      min: 0,
      max: 10_000_000,
      doc: "Sessions or flows at the same time, over all workers. 0 is what RLIMIT_NOFILE allows, less a reserve for probes, admin and logs; whatever is set, all listeners together have no more than that. At the cap TCP connections wait in the kernel's backlog, and new UDP flows are shed.",
    }),
    idle_timeout: duration({
      otherwise: '"1h"; "60s" for UDP',
      example: '1h',
      min: '10ms',
      max: '365d',
      doc: 'A session ends when no byte has moved in either direction for this long.',
    }),
    max_session_age: duration({
      default: '0s',
      min: '10ms',
      max: '365d',
      zero: 'no limit',
      doc: 'A session ends at this age, give or take 10 %, so that long-lived sessions spread again.',
    }),
    backlog: integer({
      default: 4096,
      min: 1,
      max: 1_048_576,
      doc: 'Connections that the kernel keeps while none is accepted; net.core.somaxconn bounds it too. TCP only.',
    }),
    activation: text(
      {
        default: '',
        doc: 'The name of the systemd socket (FileDescriptorName=) that provides its addresses: systemd opens them, with any port, and passes them at the start. Each address of `bind` must be one of that name. "": sluice opens its own.',
      },
      'a name of FileDescriptorName=, or ""',
      readActivation,
    ),
    hello_timeout: duration({
      default: '3s',
      min: '10ms',
      max: '5m',
      doc: 'How long a client may take for the first bytes that sluice looks at before it chooses a backend: the PROXY header, with `[postgres]` the beginning of the first message, and what its routes ask for. TCP only; where nothing is looked at, a client may keep silent.',
    }),
    hello_size: size({
      default: '16KiB',
      min: '4KiB',
      max: '64KiB',
      doc: 'How many bytes these may be. A client whose first bytes are more ends at once, by a reset: a TLS hello as `no-route`, even where the `pool` of the listener would serve it, a PROXY header as `bad-proxy-header`, and a first message of Postgres as `not-postgres`.',
    }),
    routes: ROUTES,
    postgres: POSTGRES,
    access: ACCESS,
    limits: LIMITS,
  },
);

export type ListenerValue = ValueOf<typeof LISTENER>;

/** `value` has passed the checks. */
export function listenerSpec(name: string, value: ListenerValue): ListenerSpec {
  const idleTimeoutMs = value.protocol === 'udp' ? IDLE_TIMEOUT_UDP_MS : IDLE_TIMEOUT_TCP_MS;
  return {
    name,
    protocol: value.protocol,
    bind: present(value.bind, 'a checked listener is bound'),
    missingAddress: value.bind_missing ? 'bind' : 'refuse',
    activation: value.activation || null,
    pool: present(value.pool, 'a checked listener has a pool') || null,
    routes: value.routes.map(routeSpec),
    maxSessions: value.max_sessions,
    access: accessSpec(value.access),
    settings: {
      trustedProxies: value.accept_proxy_protocol ? value.trusted_proxies : null,
      idleTimeoutMs: value.idle_timeout ?? idleTimeoutMs,
      maxSessionAgeMs: value.max_session_age,
      backlog: value.backlog,
      helloTimeoutMs: value.hello_timeout,
      helloSizeBytes: value.hello_size,
      postgres: postgresSpec(value.postgres),
      limits: limitsSpec(value.limits),
    },
  };
}

/** As systemd takes them (sd_notify(3), FDNAME). */
function readActivation(raw: string): ReadValue<string> {
  if (raw.length > 255) return fault('malformed', 'longer than 255 characters');
  return /^[\x20-\x39\x3b-\x7e]*$/.test(raw)
    ? fits(raw)
    : fault('malformed', 'a character that is no printable ASCII, or a colon');
}

function readBind(raw: unknown): ReadValue<readonly Endpoint[]> {
  if (!Array.isArray(raw)) {
    const one = readString(raw, parseEndpoint);
    return one.ok ? fits([one.value]) : one;
  }
  if (raw.length === 0) return fault('missing', 'an empty list');
  return readList(raw, MAX_BINDS, 'addresses', (one) => readString(one, parseEndpoint));
}
