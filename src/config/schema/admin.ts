/** `[admin]`: how the daemon is observed and operated. */
import type { IpEndpoint } from '../../core/endpoint.js';
import type { AdminSpec } from '../../core/spec.js';
import { parseIpEndpoint } from '../address.js';
import { fault, fits, type ReadValue, readList, readString } from '../reading.js';
import { flag, mixed, text } from './kinds.js';
import { table, type ValueOf } from './node.js';

/** unix(7) has room for 107; a name beside it is needed while it is opened. */
const MAX_SOCKET_PATH = 100;
/** More than may operate one machine. */
const MAX_USERS = 64;
/** useradd(8), and numbers. */
const ACCOUNT = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/;
/** More than a machine has names. */
const MAX_HOSTS = 64;
const MAX_NAME = 253;
const NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

export const ADMIN = table('How the daemon is observed and operated.', {
  http: text(
    {
      default: '127.0.0.1:9600',
      doc: 'Where /metrics, /healthz, /ready, /health and the dashboard are served. "" is off. The API of `sluice ctl` is there too, at /v1/, for reading. Beyond loopback it takes `token_file` or `allow_public`. It serves 128 connections at a time, as `socket` does, and fewer where open files are few: further ones wait, and those that ask nothing make way for them.',
    },
    '"address:port", "[IPv6 address]:port", or "" for off',
    (raw): ReadValue<IpEndpoint | null> => (raw === '' ? fits(null) : parseIpEndpoint(raw)),
  ),
  socket: text(
    {
      default: 'auto',
      doc: 'The UNIX socket of `sluice ctl`, with mode 0660. "auto" is admin.sock in $RUNTIME_DIRECTORY (which systemd sets), else in /run/sluice where that folder exists, else off. "" is off.',
    },
    `"auto", an absolute path of at most ${MAX_SOCKET_PATH} bytes, or "" for off`,
    (raw): ReadValue<string | null> => {
      if (raw === '') return fits(null);
      if (raw === 'auto') return fits(raw);
      if (!raw.startsWith('/')) return fault('malformed', 'not an absolute path');
      const isShort = Buffer.byteLength(raw) <= MAX_SOCKET_PATH;
      return isShort ? fits(raw) : fault('out-of-range', 'too long');
    },
  ),
  socket_group: text(
    {
      default: '',
      doc: 'The group of the socket, by name or number: its members may look. "" is the group of the daemon.',
    },
    'the name or number of a group, or ""',
    (raw): ReadValue<string> =>
      raw === '' || ACCOUNT.test(raw) ? fits(raw) : fault('malformed', 'not the name of a group'),
  ),
  socket_users: mixed(
    {
      default: [],
      doc: 'Users, by name or number, who may change things over the socket, beside root and the user of the daemon. Others who may open it can only look.',
    },
    'a list of names or numbers of users',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_USERS }] },
    (raw) => readList(raw, MAX_USERS, 'users', (one) => readString(one, readUser)),
  ),
  token_file: text(
    {
      default: '',
      doc: 'A file with a bearer token, one word of 16 to 4096 characters, read at each request that brings one. A request with it may change things over `http` too. "": there is none.',
    },
    'an absolute path, or ""',
    (raw): ReadValue<string | null> => {
      if (raw === '') return fits(null);
      return raw.startsWith('/') ? fits(raw) : fault('malformed', 'not an absolute path');
    },
  ),
  allow_public: flag({
    default: false,
    doc: 'true: `http` may be bound beyond loopback and read there without the token. false: that needs a `token_file`, and every request must carry the token (/healthz and /ready excepted).',
  }),
  backend_histograms: flag({
    default: false,
    doc: 'true: the histograms of /metrics are per listener and backend, about 100 lines each. false: they are per pool.',
  }),
  hosts: mixed(
    {
      default: [],
      doc: 'Further names that a Host header may have. Loopback names and addresses are always accepted; any other name is refused, because a web page could have its own name lead here (DNS rebinding).',
    },
    'a list of host names without ports',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_HOSTS }] },
    (raw) => readList(raw, MAX_HOSTS, 'names', (one) => readString(one, readHost)),
  ),
});

function readUser(raw: string): ReadValue<string> {
  return ACCOUNT.test(raw) ? fits(raw) : fault('malformed', 'not the name of a user');
}

function readHost(raw: string): ReadValue<string> {
  const name = raw.toLowerCase();
  const fitting = name.length <= MAX_NAME && NAME.test(name);
  return fitting ? fits(name) : fault('malformed', 'not a host name');
}

export function adminSpec(value: ValueOf<typeof ADMIN>): AdminSpec {
  return {
    http: value.http,
    socket: value.socket,
    socketGroup: value.socket_group,
    socketUsers: value.socket_users,
    tokenFile: value.token_file,
    allowPublic: value.allow_public,
    hosts: value.hosts,
    backendHistograms: value.backend_histograms,
  };
}
