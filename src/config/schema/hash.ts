/** `[pools.NAME.hash]`: how `policy = "source-hash"` maps clients to backends. */
import type { PolicyName, PolicySpec } from '../../core/spec.js';
import { choice, decimal, integer } from './kinds.js';
import { table, type ValueOf } from './node.js';

/** Envoy's bound: 4 bytes per entry are 20 MB per worker and pool. */
const MAX_TABLE_SIZE = 5_000_011;

export const HASH = table('How policy = "source-hash" maps clients to backends.', {
  algorithm: choice(['maglev', 'ring'], {
    default: 'maglev',
    doc: '"maglev" spreads best; "ring" moves the fewest clients when the set changes.',
  }),
  ipv6_prefix: integer({
    default: 64,
    min: 0,
    max: 128,
    doc: 'Bits of an IPv6 address that count: clients of one prefix share a backend.',
  }),
  balance_factor: decimal({
    default: 1.25,
    min: 0,
    max: 100,
    doc: 'Bounded load: no backend gets more than this multiple of the mean load; the overflow goes to the next choice of the same hash. 1 or more; 0 is off.',
  }),
  table_size: integer({
    default: 65_537,
    min: 3,
    max: MAX_TABLE_SIZE,
    doc: 'Entries of the maglev table: a prime, best above 100 times the number of backends.',
  }),
});

/** The policy `name`; `value` is asked for where it says how. */
export function policySpec(name: PolicyName, value: ValueOf<typeof HASH>): PolicySpec {
  if (name !== 'source-hash') return { name };
  return {
    name,
    algorithm: value.algorithm,
    ipv6PrefixBits: value.ipv6_prefix,
    balanceFactor: value.balance_factor,
    tableSize: value.table_size,
  };
}
