/** What one turn of one peer in one case gave; the raw material of every report. */
import type { Measured } from '../load/protocol.js';
import type { AnyCaseName, CaseName } from './case_names.js';
import type { Environment } from './environment.js';
import type { GrowthSample } from './growth.js';
import type { Values } from './measures.js';
import type { PeerName } from './peers.js';

export interface Sample {
  readonly case: CaseName;
  readonly peer: PeerName;
  readonly round: number;
  /** Which turn of the round it was. */
  readonly turn: number;
  readonly values: Values;
  /** All that the load process said; null for real clients. */
  readonly measured: Measured | null;
}

/** A peer that could not be measured in a case, and why. */
export interface Absence {
  readonly case: AnyCaseName;
  /** In `growth` what the report calls it. */
  readonly peer: string;
  readonly sentence: string;
}

export interface Results {
  readonly environment: Environment;
  readonly pace: 'full' | 'quick';
  readonly rounds: number;
  readonly samples: readonly Sample[];
  /** Of the case `growth`; absent where it was not measured. */
  readonly growth?: readonly GrowthSample[];
  readonly absences: readonly Absence[];
  /** What was found out before the rounds, such as the load that `p999` offers. */
  readonly notes: Readonly<Partial<Record<CaseName, string>>>;
}
