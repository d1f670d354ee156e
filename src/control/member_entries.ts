/** Finds the backends that a member of a source, or a name of the file, has become. */
import { formatAddress, sameAddress } from '../core/endpoint.js';
import { backendKey } from '../core/identity.js';
import type { Proof } from '../core/proof.js';
import type { Member } from '../discovery/source.js';
import { conditionOf, proofOf } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import { regardOf } from '../pool/standing.js';
import type { BackendEntry, Inventory } from './inventory.js';

/** null: it is none, or not yet. */
function entryOf(inventory: Inventory, pool: string, member: Member): BackendEntry | null {
  const backends = inventory.pools.get(pool)?.backends;
  if (backends === undefined) return null;
  const { address } = member;
  if (address.kind === 'name') return entryAt(inventory, pool, address);
  // Under its own name, or by its address where another member had the name.
  const names = [member.name ?? formatAddress(address), formatAddress(address)];
  for (const name of names) {
    const entry = backends.get(backendKey({ name }, address));
    if (entry !== undefined) return entry;
  }
  return null;
}

/** What probes say of `member` of `pool`. */
export function proofOfMember(
  inventory: Inventory,
  ledger: Ledger,
  pool: string,
  member: Member,
): Proof {
  const entry = entryOf(inventory, pool, member);
  if (entry === null) return 'unproven';
  const { health, settings } = entry.pool.spec;
  if (health.probe.kind === 'none') return 'unprobed';
  const members = [...entry.pool.backends.values()];
  return proofOf(ledger, entry.id, () => regardOf(ledger, members, settings.panicPercent));
}

/** Names of the file, with their ports, under which every backend is down. */
export function downNames(inventory: Inventory, ledger: Ledger): ReadonlySet<string> {
  const down = new Set<string>();
  const others = new Set<string>();
  for (const { id, spec, tenure } of inventory.backends()) {
    if (tenure !== 'kept' || spec.address.kind !== 'name') continue;
    const isDown = conditionOf(ledger, id) === 'down';
    (isDown ? down : others).add(formatAddress(spec.address));
  }
  for (const name of others) down.delete(name);
  return down;
}

function entryAt(
  inventory: Inventory,
  pool: string,
  address: Member['address'],
): BackendEntry | null {
  for (const entry of inventory.pools.get(pool)?.backends.values() ?? []) {
    if (sameAddress(entry.spec.address, address)) return entry;
  }
  return null;
}
