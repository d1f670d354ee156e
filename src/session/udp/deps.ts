/** What the life of UDP flows needs from its worker. */
import type { AccessRecord } from '../../core/access.js';
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import type { SeriesWriter } from '../../core/series.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { ClientTable } from '../../pool/client_table.js';
import type { Ledger } from '../../pool/ledger.js';
import type { ReportDefect } from '../defect.js';
import type { UdpEngine } from '../udp_port.js';

export interface UdpFlowsDeps {
  readonly engine: UdpEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly series: SeriesWriter;
  readonly worker: WorkerId;
  readonly ids: SessionIds;
  /** A flow gave back a descriptor, which others may wait for; called within an edge. */
  readonly descriptorFreed: () => void;
  /** Writes an access record. */
  readonly access: (record: AccessRecord) => void;
  readonly internalError: ReportDefect;
}
