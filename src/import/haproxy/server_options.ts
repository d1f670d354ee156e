/** What becomes of the options of servers that belong to one backend, or to none. */

import { fittedNumber, wholeNumber } from '../bounds.js';
import type { Capabilities } from '../capabilities.js';
import { LACKS } from '../capabilities.js';
import type { DraftTable } from '../draft.js';
import { lookUp } from '../look_up.js';
import type { Server } from './servers.js';

const NO_TLS = 'sluice does not originate TLS: the bytes pass as the client sends them';
const SYSTEM_DNS =
  "names are looked up again every 10 s with the system's resolver, without further options";
const POOLED = 'it concerns connections that are shared between HTTP requests';

const DROPPED: Readonly<Record<string, string>> = {
  addr: 'probes go to the address of the backend',
  minconn: 'a cap does not depend on the load: it is always maxconn',
  'agent-check': 'sluice asks no agents',
  'agent-addr': 'sluice asks no agents',
  'agent-inter': 'sluice asks no agents',
  'agent-port': 'sluice asks no agents',
  'agent-send': 'sluice asks no agents',
  usesrc: "sluice does not dial from the client's address",
  interface: 'sluice does not bind to interfaces',
  namespace: 'sluice works in its own network namespace',
  'on-marked-up': 'sessions at backups run on when others come back',
  track: 'each backend has its own probes',
  'tcp-ut': 'sluice does not set TCP_USER_TIMEOUT',
  'proxy-v2-options': 'a header has the addresses, and the fields of the header that came in',
  'set-proxy-v2-tlv-fmt': 'a header has the addresses, and the fields of the header that came in',
  socks4: 'sluice does not use SOCKS',
  redir: 'it concerns HTTP',
  'no-tfo': 'TCP Fast Open is not used',
  tfo: 'TCP Fast Open is not used',
  ssl: NO_TLS,
  verify: NO_TLS,
  verifyhost: NO_TLS,
  'ca-file': NO_TLS,
  crt: NO_TLS,
  'crl-file': NO_TLS,
  sni: NO_TLS,
  alpn: NO_TLS,
  npn: NO_TLS,
  ciphers: NO_TLS,
  ciphersuites: NO_TLS,
  'ssl-min-ver': NO_TLS,
  'ssl-max-ver': NO_TLS,
  'force-tlsv12': NO_TLS,
  'force-tlsv13': NO_TLS,
  'check-sni': 'its probe does not talk TLS',
  'check-alpn': 'probes do not offer ALPN',
};

const CHANGED: Readonly<Record<string, string>> = {
  resolvers: SYSTEM_DNS,
  'resolve-prefer': SYSTEM_DNS,
  'resolve-opts': SYSTEM_DNS,
  'resolve-net': SYSTEM_DNS,
  'init-addr':
    'a start does not wait for names: a backend without an address serves nothing until it has one',
};

const IDLE: Readonly<Record<string, string>> = {
  cookie: 'it concerns HTTP, and has no effect in mode tcp',
  id: 'it is only a name',
  guid: 'it is only a name',
  enabled: 'it is the default',
  'check-send-proxy': 'a probe sends a header wherever sessions do',
  'non-stick': 'clients are placed by hash, and no table is kept',
  'no-check': 'it is not probed',
  'pool-low-conn': POOLED,
  'pool-max-conn': POOLED,
  'pool-purge-delay': POOLED,
  'max-reuse': POOLED,
  proto: 'it concerns HTTP, and has no effect in mode tcp',
  ws: 'it concerns HTTP, and has no effect in mode tcp',
  'log-proto': 'it concerns log servers',
};

/** Writes what a backend has of its own; what the pool has in common is done elsewhere. */
export function writeServer(server: Server, table: DraftTable, has: Capabilities): void {
  table.put('address', server.address, '');
  table.put('name', server.name, '');
  const { options } = server;
  const weight = options.get('weight');
  if (weight !== undefined) {
    const wanted = wholeNumber(weight.value(1));
    if (wanted === null) weight.dropped('not a whole number');
    else table.take('weight', fittedNumber('weight', wanted).value, [weight]);
  }
  const cap = options.get('maxconn');
  if (cap !== undefined) {
    const wanted = wholeNumber(cap.value(1));
    if (wanted === null) cap.dropped('not a whole number');
    else table.take('max_connections', fittedNumber('max_connections', wanted).value, [cap]);
  }
  const disabled = options.get('disabled');
  if (disabled !== undefined) {
    const how = 'it gets no sessions, but is probed; give it a weight to use it';
    table.take('weight', 0, [disabled], how);
  }
  const source = options.get('source');
  if (source !== undefined && has.source === 'not here') source.dropped(LACKS.source);
  markRest(options);
}

/** Options that have no key; a verdict that is there already stays. */
function markRest(options: Server['options']): void {
  for (const [name, part] of options) {
    const dropped = lookUp(DROPPED, name);
    const changed = lookUp(CHANGED, name);
    const idle = lookUp(IDLE, name);
    if (dropped !== undefined) part.unlessMarked((one) => one.dropped(dropped));
    else if (changed !== undefined) part.changed(changed);
    else if (idle !== undefined) part.idle(idle);
  }
}
