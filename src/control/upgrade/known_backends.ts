/** What the process before this one knew of backends, until the first plan is in force. */

import type { Clock } from '../../core/clock.js';
import { toOwnMs } from '../../core/machine_time.js';
import { isAmount } from '../../core/unknown.js';
import type { KnownHealth } from '../../health/known.js';
import { readKnown } from '../../health/known_text.js';
import type { EjectionMemory } from '../../pool/ejection.js';
import { readEjection } from '../../pool/ejection_text.js';
import { isText } from './messages.js';
import type { Handed, StateItem } from './state_parts.js';

/** Of one backend. */
export interface KnownVerdict {
  /** As people see it. */
  readonly state: string;
  readonly sinceWallMs: number;
  /** null: it was not probed. */
  readonly health: KnownHealth | null;
}

/** Times are those of this process. */
export interface KnownPassive {
  /** Since when it ramps; null: it does not. */
  readonly returnedMs: number | null;
  readonly ejection: EjectionMemory | null;
}

const NO_PASSIVE: KnownPassive = { returnedMs: null, ejection: null };

export class KnownBackends {
  readonly #clock: Clock;
  readonly #verdicts = new Map<string, KnownVerdict>();
  readonly #passive = new Map<string, KnownPassive>();

  /** `handed` null: there was no process before this one. */
  constructor(handed: Handed | null, clock: Clock) {
    this.#clock = clock;
    handed?.each('backends', (item) => this.#take(this.#verdicts, item, verdictFrom(item)));
    handed?.each('passive', (item) => this.#take(this.#passive, item, this.#passiveFrom(item)));
  }

  /** By the key of a health target; null: that process did not know it. */
  verdictOf(key: string): KnownVerdict | null {
    return this.#verdicts.get(key) ?? null;
  }

  passiveOf(key: string): KnownPassive {
    return this.#passive.get(key) ?? NO_PASSIVE;
  }

  /** What arrives from now on is new. */
  forget(): void {
    this.#verdicts.clear();
    this.#passive.clear();
  }

  #take<Known>(into: Map<string, Known>, item: StateItem, known: Known | null) {
    const { pool, backend, address } = item;
    if (known === null || !isText(pool) || !isText(backend) || !isText(address)) return 'no sense';
    into.set(`${pool}/${backend}@${address}`, known);
    return 'taken';
  }

  #passiveFrom({ returnedMs, ejection }: StateItem): KnownPassive | null {
    const shifted = (machineMs: number): number => toOwnMs(this.#clock, machineMs);
    const read = isItem(ejection) ? readEjection(ejection, shifted) : null;
    if (ejection !== null && read === null) return null;
    if (returnedMs === null) return { returnedMs, ejection: read };
    return isAmount(returnedMs) ? { returnedMs: shifted(returnedMs), ejection: read } : null;
  }
}

function verdictFrom({ state, sinceWallMs, health }: StateItem): KnownVerdict | null {
  if (!isText(state) || !isAmount(sinceWallMs)) return null;
  const known = isItem(health) ? readKnown(health) : null;
  return health !== null && known === null ? null : { state, sinceWallMs, health: known };
}

function isItem(value: unknown): value is StateItem {
  return typeof value === 'object' && value !== null;
}
