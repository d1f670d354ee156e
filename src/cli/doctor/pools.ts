/**
 * How many sessions each pool of a file can have at one backend address, by the source ports of
 * this machine, beside the most that the file lets it have there. Pure.
 */
import type { PortRange } from '../../core/port_range.js';
import { poolsOf } from '../../core/routes.js';
import type { ListenerSpec, PoolSpec, Spec } from '../../core/spec.js';
import type { Advice } from './report.js';

export interface PoolFinding {
  readonly pool: string;
  /** Addresses that it dials from; 1: the one that the kernel chooses. */
  readonly sources: number;
  /** TCP sessions to one backend address, and UDP flows to all backends together. */
  readonly most: number;
  /** What the file allows at one backend, or in flows; null: nothing in it says. */
  readonly wanted: number | null;
  readonly allows: string;
  readonly advice: Advice | null;
}

/** Pools that dial no IP address need no ports. */
export function examinePools(spec: Spec, range: PortRange): readonly PoolFinding[] {
  const ports = range.last - range.first + 1;
  return spec.pools.flatMap((pool) => {
    const leading = spec.listeners.filter((one) => poolsOf(one).includes(pool.name));
    const sources = sourcesOf(pool);
    if (sources === null || leading.length === 0) return [];
    const most = sources * ports;
    return (['tcp', 'udp'] as const).flatMap((protocol): readonly PoolFinding[] => {
      const own = leading.filter((one) => one.protocol === protocol);
      if (own.length === 0) return [];
      const wanted = protocol === 'tcp' ? capOf(pool, own) : limitOf(own);
      const what = protocol === 'tcp' ? 'sessions to one backend address' : 'flows to all backends';
      const allows = `${most} ${what}`;
      const asks = wanted === null ? 'no limit in the file' : `the file allows ${wanted}`;
      const advice = wanted !== null && wanted > most ? tooFew(most, wanted, what) : null;
      return [{ pool: pool.name, sources, most, wanted, allows: `${allows}; ${asks}`, advice }];
    });
  });
}

/** As many as fit a backend of the family that has fewest; null: none is dialled by IP. */
function sourcesOf({ settings, backends, discovery }: PoolSpec): number | null {
  const { sources } = settings;
  const count = (family: 4 | 6): number =>
    Math.max(1, sources.filter((one) => one.family === family).length);
  // Of a name, or a member, the family is not known: the one that is dialled from is meant.
  const given = new Set(sources.map(({ family }) => family));
  const ofNames = given.size === 0 ? 1 : Math.min(...[...given].map(count));
  const counts = backends.flatMap(({ address }) => {
    if (address.kind === 'unix') return [];
    return [address.kind === 'ip' ? count(address.family) : ofNames];
  });
  if (discovery.length > 0) counts.push(ofNames);
  return counts.length === 0 ? null : Math.min(...counts);
}

/** The most sessions that one backend may have; null: what the machine allows. */
function capOf({ backends, discovery }: PoolSpec, own: readonly ListenerSpec[]): number | null {
  const caps = [...backends, ...discovery].map(({ maxConnections }) => maxConnections);
  const bounds = [caps.includes(0) ? null : Math.max(...caps), limitOf(own)];
  const known = bounds.filter((bound) => bound !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Sessions that the listeners may have together; null: one of them has no limit of its own. */
function limitOf(own: readonly ListenerSpec[]): number | null {
  if (own.some(({ maxSessions }) => maxSessions === 0)) return null;
  return own.reduce((sum, { maxSessions }) => sum + maxSessions, 0);
}

function tooFew(most: number, wanted: number, what: string): Advice {
  return {
    cause: `The file allows ${wanted}, and the source ports are enough for ${most} ${what}.`,
    remedy:
      'Give the pool more addresses to dial from (`source`), widen ' +
      'net.ipv4.ip_local_port_range, or lower max_connections or max_sessions.',
  };
}
