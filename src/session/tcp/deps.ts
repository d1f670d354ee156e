/** What the life of TCP sessions needs from its worker. */
import type { AccessRecord } from '../../core/access.js';
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import type { SeriesWriter } from '../../core/series.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { Ledger } from '../../pool/ledger.js';
import type { ReportDefect } from '../defect.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';

export interface TcpSessionsDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly series: SeriesWriter;
  readonly worker: WorkerId;
  readonly workers: number;
  readonly ids: SessionIds;
  /** Writes an access record. */
  readonly access: (record: AccessRecord) => void;
  /** Wakes another worker: a place or a turn may be its own. */
  readonly ring: (worker: WorkerId) => void;
  /**
   * Accepting failed for want of something; no session is concerned, and the engine tries again.
   */
  readonly acceptFailed: (key: ListenerKey, errno: string) => void;
  readonly internalError: ReportDefect;
}
