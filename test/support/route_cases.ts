/**
 * A client on its way through all that may stand before its backend: a PROXY header, an access list
 * or a limit, a route, a full pool. Cases of all of these together, what the daemon's file needs
 * for each, and what must come of it.
 */
import type { Cause } from '../../src/core/outcome.js';
import { headerFrom } from '../torture/proxy_header.js';
import { clientHello } from './client_hello.js';
import { listenerText, poolText } from './settings.js';

/** `missing`: the listener wants one and gets none; `untrusted`: from another peer. */
export const HEADERS = ['none', 'v1', 'v2', 'missing', 'untrusted'] as const;
/** By what the client is led to its pool, or refused; `unmatched`: a route fits others only. */
export const ROUTES = [
  'none',
  'client',
  'name',
  'unmatched',
  'name refused',
  'database',
  'database refused',
] as const;
export const RULES = ['none', 'denied', 'not-allowed', 'sessions', 'rate', 'exempt'] as const;
/** How the pool stands: it has room for one session, which is there, unless it is free. */
export const POOLS = ['free', 'full', 'queue', 'queue full', 'queue timeout'] as const;
export const FINISHES = ['finish', 'reset'] as const;

export interface RouteCase {
  /** Of its listener and its pool. */
  readonly name: string;
  readonly header: (typeof HEADERS)[number];
  readonly route: (typeof ROUTES)[number];
  readonly rule: (typeof RULES)[number];
  readonly pool: (typeof POOLS)[number];
  readonly finish: (typeof FINISHES)[number];
  /** Distinguishes the addresses of its clients from those of all others. */
  readonly number: number;
}

/** Every header × route × rule; with each of these, pools and finishes take turns. */
export const ROUTE_CASES: readonly RouteCase[] = HEADERS.flatMap((header, h) =>
  ROUTES.flatMap((route, r) =>
    RULES.map((rule, k) => {
      const number = (h * ROUTES.length + r) * RULES.length + k;
      const pool = POOLS[(h + 2 * r + 3 * k) % POOLS.length] ?? 'free';
      const finish = FINISHES[(h + r + k) % FINISHES.length] ?? 'finish';
      return { name: `c${number}`, header, route, rule, pool, finish, number };
    }),
  ),
);

/** Whose sessions a case has. `holder` is there first; `waiter` has the only place of the queue. */
export type Role = 'holder' | 'waiter' | 'client';

/** What the client of the case is refused as; null: it is served, perhaps after a while. */
export function refusalIn(one: RouteCase): Cause | null {
  const { header, route, rule, pool } = one;
  if (header === 'untrusted') return 'untrusted-proxy';
  if (header === 'missing') return 'bad-proxy-header';
  if (rule === 'denied' || rule === 'not-allowed') return rule;
  if (rule === 'sessions' && hasHolder(one)) return 'too-many-sessions';
  if (rule === 'rate' && hasHolder(one)) return 'too-fast';
  if (route.endsWith('refused')) return 'no-route';
  if (pool === 'full') return 'all-full';
  if (pool === 'queue full') return 'queue-full';
  return pool === 'queue timeout' ? 'queue-timeout' : null;
}

/**
 * Refused for its address, which is in the header: it need not say anything else, unless it may
 * have come to cancel.
 */
export function isBarredByHeader(one: RouteCase): boolean {
  const cause = refusalIn(one);
  if (one.header === 'none') return false;
  if (cause === 'denied' || cause === 'not-allowed') return true;
  const isLimited = cause === 'too-many-sessions' || cause === 'too-fast';
  return isLimited && !one.route.startsWith('database');
}

/** Refused when it is accepted: there is a line for some of many. */
export function isTurnedAway(one: RouteCase): boolean {
  const causes: readonly Cause[] = ['denied', 'not-allowed', 'too-many-sessions', 'too-fast'];
  const cause = refusalIn(one);
  return one.header === 'none' && cause !== null && causes.includes(cause);
}

/** What has to be there before the client comes. */
export function hasHolder(one: RouteCase): boolean {
  if (one.header === 'missing' || one.header === 'untrusted') return false;
  // A client whose pool is nowhere meets no full pool.
  if (one.route.endsWith('refused')) return false;
  return one.pool !== 'free' || isAboutClients(one.rule);
}

export function hasWaiter(one: RouteCase): boolean {
  return hasHolder(one) && one.pool === 'queue full';
}

/** Whether the client must wait until the holder has gone. */
export function mustWait(one: RouteCase): boolean {
  return refusalIn(one) === null && one.pool === 'queue';
}

/** Where a client comes from: the address itself, or the one that the header names. */
export function hostOf(one: RouteCase, role: Role): string {
  const isClient = role === 'client' || (role === 'holder' && isAboutClients(one.rule));
  const net = one.header === 'none' ? 127 : 10;
  const place = `${one.number >> 7}.${1 + (one.number & 127)}`;
  return `${net}.${isClient ? 11 : role === 'holder' ? 12 : 13}.${place}`;
}

/** The port in a header. */
export const PORTS: Readonly<Record<Role, number>> = { holder: 1001, waiter: 1002, client: 1003 };

/** Where a connection comes from. */
export function socketHostOf(one: RouteCase, role: Role): string {
  return one.header === 'none' ? hostOf(one, role) : '127.14.0.1';
}

/** What a client says: what a proxy puts before it, and what the backend must get. */
export function wordsOf(one: RouteCase, role: Role): { header: Buffer; words: Buffer } {
  const { header } = one;
  const source = `${hostOf(one, role)}:${PORTS[role]}`;
  const isNamed = header === 'v1' || header === 'v2' || header === 'untrusted';
  const kind = header === 'v2' ? 'v2' : 'v1';
  return { header: isNamed ? headerFrom(kind, source) : Buffer.alloc(0), words: first(one) };
}

/** What a client gets that is refused: the protocol's own words, where it has them. */
export function toldIn(one: RouteCase, cause: Cause): string | null {
  if (cause === 'no-route' && one.route === 'name refused') return '15030300020270';
  const isReason = cause === 'no-route' || cause.startsWith('queue') || cause === 'all-full';
  if (!isReason || !one.route.startsWith('database')) return null;
  return Buffer.from(`Msluice does not serve this session: ${cause}\0\0`).toString('hex');
}

/** `echo` and `other`: addresses of backends; no client of a case goes to the other one. */
export function routeCasesText(echo: string, other: string): string {
  const decoy = poolText({ name: 'other', backends: [{ address: other }], health: NO_PROBE });
  return decoy + ROUTE_CASES.map((one) => textOf(one, echo)).join('');
}

const NO_PROBE = 'probe = "none"';
const NAME = 'a.example';

function isAboutClients(rule: RouteCase['rule']): boolean {
  return rule === 'sessions' || rule === 'rate' || rule === 'exempt';
}

function first({ route }: RouteCase): Buffer {
  if (route.startsWith('database')) {
    const text = Buffer.from('user\0me\0database\0orders_1\0\0');
    const head = Buffer.alloc(8);
    head.writeUInt32BE(head.length + text.length);
    head.writeUInt32BE(0x3_0000, 4);
    return Buffer.concat([head, text]);
  }
  const isHello = route === 'unmatched' || route.startsWith('name');
  return isHello ? clientHello({ names: [Buffer.from(NAME)] }) : Buffer.from('first words');
}

function textOf(one: RouteCase, echo: string): string {
  const { name } = one;
  const isRefused = one.route.endsWith('refused');
  const own = isRefused ? 'other' : name;
  const byRoute = ['client', 'name', 'database'].includes(one.route);
  const lines = [...headerLines(one), ...routeLines(one), ...ruleLines(one)].join('\n');
  const queues = { queue: '"5m"', 'queue full': '"5m"', 'queue timeout': '"200ms"' };
  const timeout = queues[one.pool as keyof typeof queues];
  const queue = timeout === undefined ? '' : `queue_size = 1\nqueue_timeout = ${timeout}`;
  const room = one.pool === 'free' ? '' : 'max_connections = 1';
  const pool = { name, backends: [{ address: echo }], health: NO_PROBE };
  return (
    listenerText({ name, pool: byRoute ? '' : own, lines: `hello_timeout = "1m"\n${lines}` }) +
    (isRefused ? '' : poolText({ ...pool, lines: `${room}\n${queue}` }))
  );
}

function headerLines({ header }: RouteCase): readonly string[] {
  if (header === 'none') return [];
  const trusted = header === 'untrusted' ? '192.0.2.1' : '127.14.0.1';
  return ['accept_proxy_protocol = true', `trusted_proxies = ["${trusted}"]`];
}

function routeLines({ route, name }: RouteCase): readonly string[] {
  const routes = (...all: readonly string[]) => [`routes = [${all.join(', ')}]`];
  const database = 'postgres.strict = true';
  switch (route) {
    case 'none':
      return [];
    case 'client':
      return routes(
        '{ client = "198.51.100.0/24", pool = "other" }',
        `{ client = ["127.0.0.0/8", "10.0.0.0/8"], pool = "${name}" }`,
      );
    case 'name':
      return routes(
        '{ server_name = "b.example", pool = "other" }',
        `{ server_name = "*.example", pool = "${name}" }`,
      );
    case 'unmatched':
      return routes('{ server_name = "b.example", pool = "other" }');
    case 'name refused':
      return routes(`{ server_name = "${NAME}", pool = "" }`);
    case 'database':
      return [
        database,
        ...routes(
          '{ database = "orders", pool = "other" }',
          `{ database = "orders_*", pool = "${name}" }`,
        ),
      ];
    case 'database refused':
      return [database, ...routes('{ database = "orders*", user = "me", pool = "" }')];
  }
}

function ruleLines(one: RouteCase): readonly string[] {
  const client = hostOf(one, 'client');
  const others = JSON.stringify([hostOf(one, 'holder'), hostOf(one, 'waiter')]);
  switch (one.rule) {
    case 'none':
      return [];
    case 'denied':
      return [`access.deny = ["${client}"]`];
    case 'not-allowed':
      return [`access.allow = ${others}`];
    case 'sessions':
      return ['limits.sessions_per_client = 1'];
    case 'rate':
      return ['limits.new_per_client = "1/h"'];
    case 'exempt':
      return [
        `access.allow = ["${client}", "${hostOf(one, 'waiter')}"]`,
        'limits.sessions_per_client = 1',
        `limits.exempt = ["${client}"]`,
      ];
  }
}
