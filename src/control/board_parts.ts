/** Puts together the board of backends with what judges and moves beside it. */
import { missingHosts } from '../config/missing_addresses.js';
import { BackendBoard } from './backend_board.js';
import type { BackendBoardDeps } from './board_deps.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import { Ejections } from './ejections.js';
import { Rebalances, type RebalancesDeps } from './rebalances.js';
import type { SharedState } from './shared_state.js';

/** What the board does not make for itself, and these make for it. */
type Made = 'missingHosts' | 'ledger' | 'probesInFlight' | 'ejections' | 'rebalances';

export interface BoardParts extends Omit<BackendBoardDeps, Made> {
  readonly shared: SharedState;
  readonly budget: DescriptorBudget;
  readonly workers: number;
  /** One worker ends some sessions of a backend, for a better place elsewhere. */
  readonly move: RebalancesDeps['move'];
}

export function boardWith(parts: BoardParts): BackendBoard {
  const { shared, budget } = parts;
  const { ledger, series } = shared;
  return new BackendBoard({
    ...parts,
    probesInFlight: budget.probes,
    missingHosts,
    ledger,
    ejections: new Ejections({ ...parts, ledger, series }),
    rebalances: new Rebalances({ ...parts, ledger }),
  });
}
