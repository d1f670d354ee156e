/** What the life of TCP sessions needs from its worker. */
import type { AccessRecord } from '../../core/access.js';
import type { ListenerId, PairId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import type { SeriesWriter } from '../../core/series.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { ClientTable } from '../../pool/client_table.js';
import type { KeyTable } from '../../pool/key_table.js';
import type { Ledger } from '../../pool/ledger.js';
import type { ReportDefect } from '../defect.js';
import type { ProxyHeader } from '../proxy_protocol/header.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';

/** A CancelRequest of a Postgres client, for the main thread to hand on. */
export interface CancelOrder {
  readonly pair: PairId;
  /** Of the session; the pair may be another one's by the time of the answer. */
  readonly number: number;
  readonly listener: ListenerId;
  /** The client's key, for its rate (core/address_key.ts). */
  readonly client: Uint8Array;
  /** What backends want in front, where their pool sends a PROXY header. */
  readonly header: ProxyHeader;
  readonly request: Uint8Array;
}

export type CancelOutcome = 'handed on' | 'too many';

export interface TcpSessionsDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly keys: KeyTable;
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
  /** `cancelled` is called when it is done. */
  readonly cancel: (order: CancelOrder) => void;
  readonly internalError: ReportDefect;
}
