/**
 * Every way in which a session can end, made to happen: what the daemon's file needs for it, and
 * what a client does. A row for each cause, so that a new cause without one does not compile.
 */

import { Socket } from 'node:net';
import type { Cause } from '../../src/core/outcome.js';
import { accepted } from './accepted.js';
import { clientHello } from './client_hello.js';
import { within } from './deadline.js';
import { freePort } from './places.js';
import type { BackendText } from './settings.js';
import { type Target, Wire } from './wire.js';

/** Backends that the rows share, as `address` lines say them. */
export interface EndBackends {
  readonly echo: string;
  /** Resets each connection at its first byte. */
  readonly resetter: string;
  /** Nothing listens there. */
  readonly dead: string;
  /** Neither takes a connection nor refuses it, so that it never has a verdict. */
  readonly mute: string;
  /** Its connections live on when it takes no new ones. */
  readonly mortal: string;
}

export type Addresses = readonly [client: string, local: string];

/** A session that went the way of a row. */
export interface Played {
  readonly wire: Wire;
  /** Client and listener, as the access line writes them. */
  readonly addresses: Addresses;
  /** The client's; of no meaning for a UNIX socket. */
  readonly localPort: number;
  /** Resolves when the session is over, as far as its client can see. */
  readonly over: Promise<unknown>;
  /** Other sessions of the listener, which ended as `finished` or are to be finished. */
  readonly others: readonly Wire[];
}

export interface Way {
  readonly listener?: string;
  readonly pool?: string;
  readonly health?: string;
  readonly backends: (all: EndBackends) => readonly BackendText[];
  /** Whether `access = "errors"` leaves it out. */
  readonly kind: 'orderly' | 'error';
  /** UNIX sockets have no reset by a client, and no client there is untrusted. */
  readonly notOn?: 'unix';
  /** What brings the end about, when the client does not: an act on the whole daemon. */
  readonly by?: 'reload' | 'death' | 'stop';
  readonly play: (target: Target) => Promise<Played>;
}

const echo = ({ echo }: EndBackends): readonly BackendText[] => [{ address: echo }];
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const FULL = 'max_connections = 1';
const HEADER = 'accept_proxy_protocol = true';
const TRUSTING = `${HEADER}\ntrusted_proxies = ["127.0.0.0/8", "::1"]`;
const AT_ONCE = 'drain_timeout = "0s"\ndrain_spread = "0s"';
const PROBED = 'probe = "tcp"\ninterval = "100ms"\nfast_interval = "50ms"\nfall = 2\nrise = 1';

/** A session that was answered, and waits. */
const served = async (target: Target): Promise<Played> => {
  const session = await begun(target);
  await session.wire.send('x');
  await session.wire.read(1);
  return session;
};

/** One that does not wait for its answer: a busy machine may end it before. */
const asked = async (target: Target): Promise<Played> => {
  const session = await begun(target);
  await session.wire.send('x');
  return session;
};

/** One that says nothing; it may be over before it knows that it was connected. */
const silent = (target: Target): Promise<Played> => begun(target);

const afterHolder = async (target: Target): Promise<Played> => {
  const holder = await served(target);
  return { ...(await silent(target)), others: [holder.wire] };
};

/** Of two that come after the holder one waits; the other, whichever it is, ends at once. */
const afterWaiter = async (target: Target): Promise<Played> => {
  const holder = await served(target);
  const both = [await silent(target), await silent(target)] as const;
  const ended = await Promise.race(both.map(async (one) => one.over.then(() => one)));
  const waits = both[0] === ended ? both[1] : both[0];
  return { ...ended, others: [holder.wire, waits.wire] };
};

export const WAYS: Readonly<Record<Cause, Way | string>> = {
  finished: {
    backends: echo,
    kind: 'orderly',
    play: async (target) => {
      const session = await served(target);
      session.wire.finish();
      return session;
    },
  },
  'client-reset': {
    backends: echo,
    kind: 'orderly',
    notOn: 'unix',
    play: async (target) => {
      const session = await served(target);
      session.wire.reset();
      return session;
    },
  },
  'backend-reset': {
    backends: ({ resetter }) => [{ address: resetter }],
    kind: 'error',
    play: asked,
  },
  'hello-timeout': {
    listener: 'hello_timeout = "1s"\npostgres.strict = true',
    backends: echo,
    kind: 'error',
    play: silent,
  },
  'not-postgres': {
    listener: 'postgres.strict = true',
    backends: echo,
    kind: 'error',
    play: asked,
  },
  'no-route': {
    listener:
      'routes = [{ alpn = "h2", pool = "" }, { client = "::/0", pool = "" }, { pool = "" }]',
    backends: echo,
    kind: 'error',
    play: asked,
  },
  'backend-without-tls': {
    listener: 'postgres.strict = true\nroutes = [{ alpn = "none", pool = "" }]',
    backends: echo,
    kind: 'error',
    play: async (target) => {
      const session = await begun(target);
      // The echo of the request is no "S".
      await session.wire.send(SSL_REQUEST);
      await session.wire.read(1);
      await session.wire.send(clientHello());
      return session;
    },
  },
  'cancel-handed-on': 'test/system/postgres_cancel.test.ts has real cancels of real clients',
  'cancel-limit': 'test/system/postgres_cancel.test.ts sends more of them than it may',
  denied: {
    listener: 'access.deny = ["127.0.0.0/8", "::1"]',
    backends: echo,
    kind: 'error',
    notOn: 'unix',
    play: silent,
  },
  'not-allowed': {
    listener: 'access.allow = ["192.0.2.0/24"]',
    backends: echo,
    kind: 'error',
    notOn: 'unix',
    play: silent,
  },
  'too-many-sessions': {
    listener: 'limits.sessions_per_client = 1',
    backends: echo,
    kind: 'error',
    notOn: 'unix',
    play: afterHolder,
  },
  'too-fast': {
    listener: 'limits.new_per_client = "1/h"',
    backends: echo,
    kind: 'error',
    notOn: 'unix',
    play: afterHolder,
  },
  'idle-timeout': {
    listener: 'idle_timeout = "2s"',
    backends: echo,
    kind: 'error',
    play: asked,
  },
  'max-age': {
    listener: 'max_session_age = "2s"',
    backends: echo,
    kind: 'orderly',
    play: asked,
  },
  'responses-done': 'an end of UDP flows: see the flows below',
  drained: {
    pool: AT_ONCE,
    backends: ({ mortal, echo }) => [
      { address: mortal },
      { address: echo, lines: 'backup = true' },
    ],
    kind: 'orderly',
    by: 'reload',
    play: served,
  },
  'backend-down': {
    pool: `on_down = "close"\n${AT_ONCE}`,
    health: PROBED,
    backends: ({ mortal }) => [{ address: mortal }],
    kind: 'error',
    by: 'death',
    play: served,
  },
  rebalanced: 'only sessions older than a minute are moved: test/control/rebalances.test.ts',
  killed: 'sluice ctl kill, by name and by filters: test/system/looking.test.ts',
  shutdown: { backends: echo, kind: 'orderly', by: 'stop', play: served },
  'bad-proxy-header': {
    listener: TRUSTING,
    backends: echo,
    kind: 'error',
    play: async (target) => {
      const session = await begun(target);
      await session.wire.send('GET / HTTP/1.1\r\n\r\n');
      return session;
    },
  },
  'proxy-header-timeout': { listener: TRUSTING, backends: echo, kind: 'error', play: silent },
  'untrusted-proxy': {
    listener: `${HEADER}\ntrusted_proxies = ["192.0.2.1"]`,
    backends: echo,
    kind: 'error',
    notOn: 'unix',
    play: silent,
  },
  'no-backend': {
    health: 'probe = "tcp"\ntimeout = "10s"',
    pool: 'connect_timeout = "10s"',
    backends: ({ mute }) => [{ address: mute }],
    kind: 'error',
    by: 'reload',
    play: silent,
  },
  'all-down': {
    health: PROBED,
    backends: ({ dead }) => [{ address: dead }],
    kind: 'error',
    play: silent,
  },
  'all-full': { pool: FULL, backends: echo, kind: 'error', play: afterHolder },
  'queue-full': {
    // A client that waits must do so for longer than the test takes to look.
    pool: `${FULL}\nqueue_size = 1\nqueue_timeout = "30s"`,
    backends: echo,
    kind: 'error',
    play: afterWaiter,
  },
  'queue-timeout': {
    pool: `${FULL}\nqueue_size = 1\nqueue_timeout = "100ms"`,
    backends: echo,
    kind: 'error',
    play: afterHolder,
  },
  'dial-failed': { backends: ({ dead }) => [{ address: dead }], kind: 'error', play: silent },
  'client-gone': {
    // It must still wait when the test has seen that it was accepted.
    pool: `${FULL}\nqueue_size = 5\nqueue_timeout = "30s"`,
    backends: echo,
    kind: 'orderly',
    notOn: 'unix',
    play: async (target) => {
      const session = await afterHolder(target);
      // In the backlog it is not a session yet.
      await accepted(session.localPort, target.port);
      session.wire.reset();
      return session;
    },
  },
  'listener-full': 'TCP clients wait in the backlog instead: test/system/caps.test.ts',
  'no-source-address': 'needs an address that is not here: test/system/source_addresses.test.ts',
  'resource-limit': 'needs descriptors to be gone: test/system/descriptors.test.ts',
  'worker-lost': 'needs a thread that dies: test/control/worker_loss.test.ts',
  'internal-error': 'needs a defect: test/system/blast_radius.test.ts',
};

/**
 * A connection, or what is left of one that was reset at once. Its port is chosen here, for a
 * socket that was reset does not say which one it had.
 */
async function begun(target: Target): Promise<Played> {
  const { host = '127.0.0.1', port, path } = target;
  const localPort = await freePort();
  const socket = new Socket({ allowHalfOpen: true });
  const wire = new Wire(socket);
  const connected = new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.connect(path === undefined ? { host, port, localPort } : { path });
  await within('a connection', Promise.race([connected, wire.closed]));
  const text = (of: number): string => (host.includes(':') ? `[${host}]:${of}` : `${host}:${of}`);
  const addresses: Addresses =
    path === undefined ? [text(localPort), text(port)] : ['unix:', `unix:${path}`];
  return { wire, addresses, localPort, over: wire.ended, others: [] };
}
