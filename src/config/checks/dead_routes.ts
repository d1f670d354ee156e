/** Routes that no session takes, and what routes do to sessions that none of them expects. */
import { coversBlock } from '../../core/address_block.js';
import { fitsGlob, patternsOf } from '../../core/routes.js';
import type { Path } from '../path.js';
import type { ListenerValue } from '../schema/listener.js';
import type { RouteValue } from '../schema/route.js';
import type { Check, Finding } from './check.js';

export const warnOfRoutes: Check = ({ config }) =>
  Object.entries(config.listeners).flatMap(([name, listener]) => {
    const path = ['listeners', name];
    return [
      ...deadRoutes(path, listener),
      ...deadPool(path, listener),
      ...withoutTls(path, listener),
    ];
  });

/**
 * A long file is still read at once: at most this many routes are compared, each with all before it
 * …
 */
const MAX_COMPARED = 128;
/** … and this many pairs of values of two. */
const MAX_PAIRS = 256;

function deadRoutes(listener: Path, { routes }: ListenerValue): readonly Finding[] {
  return routes.slice(0, MAX_COMPARED).flatMap((route, index): readonly Finding[] => {
    if (isImpossible(route)) return [impossible([...listener, 'routes', index])];
    const earlier = routes.slice(0, index).findIndex((one) => covers(one, route));
    if (earlier === -1) return [];
    const problem = `no client takes it: one that fits it fits routes[${earlier}] too, which comes first`;
    const path = [...listener, 'routes', index];
    const expected = 'a place before that one, or no such route';
    return [{ code: 'unused', path, problem, expected, got: 'one behind it' }];
  });
}

/** Behind TLS no start can be read, and a client without TLS says neither name nor protocol. */
function isImpossible({ server_name, alpn, database, user, application }: RouteValue): boolean {
  const ofHello = server_name.length + alpn.length;
  return ofHello > 0 && database.length + user.length + application.length > 0;
}

function impossible(path: Path): Finding {
  return {
    code: 'unused',
    path,
    problem: 'no client fits it: behind TLS no database, user or application can be read',
    expected: 'server_name and alpn, or database, user and application',
    got: 'some of both',
  };
}

/** The listener's own pool, where a route takes every session. */
function deadPool(listener: Path, { pool, routes }: ListenerValue): readonly Finding[] {
  const last = routes.findIndex(isForAll);
  const path = [...listener, 'pool'];
  if (last !== -1 && pool !== routes[last]?.pool) {
    const problem = `no client gets there: routes[${last}] takes every session`;
    return [{ code: 'unused', path, problem, expected: 'a condition in that route, or its pool' }];
  }
  if (pool !== '' || routes.some((route) => route.pool !== '')) return [];
  const problem = 'every session is refused';
  return [{ code: 'unlikely', path, problem, expected: 'the name of a pool, or a route to one' }];
}

function withoutTls(listener: Path, { routes }: ListenerValue): readonly Finding[] {
  if (routes.some((route) => route.server_name.length + route.alpn.length > 0)) return [];
  const keys = ['database', 'user', 'application'] as const;
  for (const [index, route] of routes.entries()) {
    const key = keys.find((one) => route[one].length > 0);
    if (key === undefined) continue;
    const problem =
      'to read this, sluice answers clients that there is no TLS: sslmode=prefer goes on in ' +
      'plain text, require and verify-full end';
    const expected = 'clients that need no TLS here, or routes by server_name';
    return [{ code: 'unlikely', path: [...listener, 'routes', index, key], problem, expected }];
  }
  return [];
}

const KEYS = ['server_name', 'alpn', 'client', 'database', 'user', 'application'] as const;

function isForAll(route: RouteValue): boolean {
  return KEYS.every((key) => route[key].length === 0);
}

/** True: a session that fits `later` fits `earlier`. What cannot be decided counts as different. */
function covers(earlier: RouteValue, later: RouteValue): boolean {
  const within = <T>(
    one: readonly T[],
    other: readonly T[],
    holds: (wide: T, narrow: T) => boolean,
  ): boolean =>
    one.length === 0 ||
    (other.length > 0 &&
      one.length * other.length <= MAX_PAIRS &&
      other.every((narrow) => one.some((wide) => holds(wide, narrow))));
  return (
    within(earlier.server_name, later.server_name, coversName) &&
    within(earlier.alpn, later.alpn, (wide, narrow) => wide === narrow) &&
    within(earlier.client, later.client, coversBlock) &&
    within(earlier.database, later.database, coversGlob) &&
    within(earlier.user, later.user, coversGlob) &&
    within(earlier.application, later.application, coversGlob)
  );
}

function coversName(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  // A name below `narrow` is also below each ending of it.
  const name = narrow.startsWith('*.') ? narrow.slice(2) : narrow;
  return wide.startsWith('*.') && patternsOf(name).slice(1).includes(wide);
}

/** `*` stands for itself here: whatever it stands for, `wide` takes it, or has it too. */
function coversGlob(wide: string, narrow: string): boolean {
  return wide === narrow || (!narrow.includes('?') && fitsGlob(wide, narrow) && !/\?/.test(wide));
}
