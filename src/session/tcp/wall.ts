/**
 * The wall between an engine and the sessions: what breaks in an edge of one pair ends that pair's
 * session, and the engine goes on as if the edge had returned. `accepted` and `acceptFailed` pass:
 * they are about a listener, which its sessions share; a session behind them has walls of its own.
 */
import type { PairId } from '../../core/brand.js';
import type { DialFailure } from '../../core/outcome.js';
import { type ReportDefect, reportUnlessShared } from '../defect.js';
import type { ListenerKey, PairEnd, TcpEdges } from '../tcp_port.js';

export class TcpWall implements TcpEdges {
  readonly #edges: TcpEdges;
  readonly #report: ReportDefect;

  constructor(edges: TcpEdges, report: ReportDefect) {
    this.#edges = edges;
    this.#report = report;
  }

  accepted(key: ListenerKey, pair: PairId): void {
    this.#edges.accepted(key, pair);
  }

  earlyBytes(pair: PairId, bytes: Uint8Array): void {
    try {
      this.#edges.earlyBytes(pair, bytes);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  dialled(pair: PairId): void {
    try {
      this.#edges.dialled(pair);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  asked(pair: PairId, byte: number | null): void {
    try {
      this.#edges.asked(pair, byte);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  dialFailed(pair: PairId, failure: DialFailure): void {
    try {
      this.#edges.dialFailed(pair, failure);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  firstByte(pair: PairId): void {
    try {
      this.#edges.firstByte(pair);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  heard(pair: PairId, bytes: Uint8Array): void {
    try {
      this.#edges.heard(pair, bytes);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  parting(pair: PairId): void {
    try {
      this.#edges.parting(pair);
    } catch (error) {
      this.broken(pair, error);
    }
  }

  /** The session is over already, and has given everything back. */
  closed(pair: PairId, end: PairEnd): void {
    try {
      this.#edges.closed(pair, end);
    } catch (error) {
      reportUnlessShared(this.#report, error, null);
    }
  }

  acceptFailed(key: ListenerKey, errno: string): void {
    this.#edges.acceptFailed(key, errno);
  }

  broken(pair: PairId, error: unknown): void {
    this.#edges.broken(pair, error);
  }
}
