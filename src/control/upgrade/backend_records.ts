/**
 * Backends as one process describes them to the next one: what probes and real traffic have
 * decided. Verdicts are sent before the sockets are left, as they are many and no probe begins from
 * there on; what workers may still change is sent when they have left.
 */
import type { Clock } from '../../core/clock.js';
import { formatAddress } from '../../core/endpoint.js';
import { toMachineMs } from '../../core/machine_time.js';
import { knownRecord } from '../../health/known_text.js';
import { ejectionRecord } from '../../pool/ejection_text.js';
import type { Daemon } from '../daemon.js';
import { namesOf } from '../health_targets.js';
import type { BackendEntry } from '../inventory.js';
import type { StateItem } from './state_parts.js';

type Told = Pick<Daemon, 'inventory' | 'board' | 'watch'>;

/** Of the part `backends`. */
export function* backendRecords({ inventory, board, watch }: Told): Iterable<StateItem> {
  for (const entry of inventory.backends()) {
    if (entry.tenure === 'leaving') continue;
    const { state, sinceWallMs } = watch.backend(entry);
    const known = board.probes.knownOf(entry);
    const health = known === null ? null : knownRecord(known);
    yield { ...placeOf(entry), state, sinceWallMs, health };
  }
}

/** Of the part `passive`. */
export function* passiveRecords({ inventory, board }: Told, clock: Clock): Iterable<StateItem> {
  const shifted = (ownMs: number): number => toMachineMs(clock, ownMs);
  for (const entry of inventory.backends()) {
    if (entry.tenure === 'leaving') continue;
    const { returnedMs, ejection } = board.passiveOf(entry);
    if (returnedMs === null && ejection === null) continue;
    yield {
      ...placeOf(entry),
      returnedMs: returnedMs === null ? null : shifted(returnedMs),
      ejection: ejection === null ? null : ejectionRecord(ejection, shifted),
    };
  }
}

function placeOf(entry: BackendEntry): StateItem {
  return { ...namesOf(entry), address: formatAddress(entry.endpoint) };
}
