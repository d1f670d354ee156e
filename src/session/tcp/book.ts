/** What is counted and written down about sessions; the only place here that touches the series. */
import type { AccessRecord } from '../../core/access.js';
import type { PairId, SeriesId } from '../../core/brand.js';
import { formatAddress } from '../../core/endpoint.js';
import type { DialFailure, DryRefusal, End } from '../../core/outcome.js';
import type { SeriesWriter } from '../../core/series.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DRY_COLUMN,
  type HistogramName,
  PLAIN_COLUMN,
} from '../../core/series_layout.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { Lease } from '../../pool/selection.js';
import { type LineChoice, LineChooser } from '../line_choice.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSessionsDeps } from './deps.js';
import type { TcpFace, TcpListener } from './listener.js';
import { NO_PATHS, PathSampler } from './paths.js';
import type { TcpSession } from './session.js';

export class SessionBook {
  readonly lines: LineChooser;
  readonly #series: SeriesWriter;
  readonly #engine: TcpEngine;
  readonly #ids: SessionIds;
  readonly #write: (record: AccessRecord) => void;
  readonly #paths: PathSampler;

  constructor(deps: TcpSessionsDeps) {
    this.lines = new LineChooser('tcp', deps.random);
    this.#series = deps.series;
    this.#engine = deps.engine;
    this.#ids = deps.ids;
    this.#write = deps.access;
    this.#paths = new PathSampler(deps.random);
  }

  /** It counts where its listener counts now: that may have changed while it was held. */
  accepted(session: TcpSession): void {
    session.series = session.listener.plan.series;
    this.#series.add(session.series, PLAIN_COLUMN.accepted, 1);
    this.#series.add(session.series, PLAIN_COLUMN.active, 1);
  }

  /** Its route is known: it counts for the pool of that one. */
  routed(session: TcpSession): void {
    this.#move(session, session.listener.seriesOf(session.way));
  }

  /** From now on the session counts at this backend. */
  dialling(session: TcpSession, { backend, id }: Lease): void {
    session.backend = backend;
    this.#move(session, this.#series.rowOf(session.listener.id, id));
    if (session.tried !== null) this.#series.add(session.series, PLAIN_COLUMN.retries, 1);
  }

  /**
   * Without a reservation a session counts at no backend: while it waits for another one, that row
   * may become another backend's.
   */
  dialFailed(session: TcpSession, failure: DialFailure): void {
    this.#series.add(session.series, DIAL_COLUMN[failure], 1);
    // As in the metric: it was not reached, and stands among those tried.
    session.backend = null;
    this.#move(session, session.listener.seriesOf(session.way));
  }

  observe(session: TcpSession, name: HistogramName, milliseconds: number): void {
    this.#series.observe(session.series, name, milliseconds / 1000);
  }

  /** Adds the bytes that have moved since the last call. */
  countBytes(session: TcpSession): void {
    const bytesIn = this.#engine.bytesIn[session.pair] ?? 0;
    const bytesOut = this.#engine.bytesOut[session.pair] ?? 0;
    if (bytesIn !== session.countedIn) {
      this.#series.add(session.series, PLAIN_COLUMN.bytesIn, bytesIn - session.countedIn);
      session.countedIn = bytesIn;
    }
    if (bytesOut !== session.countedOut) {
      this.#series.add(session.series, PLAIN_COLUMN.bytesOut, bytesOut - session.countedOut);
      session.countedOut = bytesOut;
    }
  }

  ended(session: TcpSession, end: End, nowMs: number): void {
    this.countBytes(session);
    this.#series.add(session.series, PLAIN_COLUMN.active, -1);
    this.#series.add(session.series, CAUSE_COLUMN[end.cause], 1);
    this.observe(session, 'session', nowMs - session.acceptedMs);
    const line = this.lines.choose(end.cause, session.tried?.length ?? 0);
    if (line !== 'no line') this.#write(this.#record(session, end, nowMs, line));
  }

  /** Its sockets are about to close: what the kernel knows of both is kept, of some sessions. */
  parting(session: TcpSession, nowMs: number): void {
    if (session.paths !== null || !this.#paths.takes(nowMs, nowMs - session.acceptedMs)) return;
    const { pair } = session;
    // Asked once, also when asking breaks.
    session.paths = NO_PATHS;
    const backend = this.#engine.path(pair, 'backend');
    session.paths = { client: this.#engine.path(pair, 'client'), backend };
    if (backend === null) return;
    if (backend.rttMs !== null) this.observe(session, 'rtt', backend.rttMs);
    this.#series.observe(session.series, 'retransmits', backend.retransmits);
  }

  /** A rule that is only tried would have refused a client of `listener`. */
  wouldRefuse({ plan }: Pick<TcpListener, 'plan'>, reason: DryRefusal): void {
    this.#series.add(plan.series, DRY_COLUMN[reason], 1);
  }

  /** A client of `listener` is not counted: too many are. */
  uncounted({ plan }: Pick<TcpListener, 'plan'>): void {
    this.#series.add(plan.series, PLAIN_COLUMN.uncounted, 1);
  }

  /**
   * A client that came and was refused at once. `unlogged`: how many had no line before it; null:
   * this one has none either. Answers whether a line was written.
   */
  turnedAway(face: TcpFace, pair: PairId, end: End, unlogged: number | null): boolean {
    const { plan, ways } = face;
    const pool = ways.only?.pool ?? null;
    this.#series.add(plan.series, PLAIN_COLUMN.accepted, 1);
    this.#series.add(plan.series, CAUSE_COLUMN[end.cause], 1);
    if (unlogged === null || this.lines.choose(end.cause, 0) === 'no line') return false;
    this.#write({
      id: this.#ids.text(this.#ids.next()),
      protocol: 'tcp',
      listener: plan.name,
      client: formatAddress(this.#engine.client(pair)),
      local: formatAddress(this.#engine.local(pair)),
      pool: pool?.name ?? null,
      backend: null,
      policy: pool?.settings.policy.name ?? null,
      tried: [],
      queueMs: null,
      connectMs: null,
      firstByteMs: null,
      durationMs: 0,
      bytesIn: 0,
      bytesOut: 0,
      unlogged,
      leftOut: null,
      clientPath: null,
      backendPath: null,
      end,
    });
    return true;
  }

  #record(session: TcpSession, end: End, nowMs: number, line: LineChoice): AccessRecord {
    const { listener } = session;
    const pool = session.way?.pool ?? null;
    const peer = this.#engine.client(session.pair);
    const local = session.proxied?.destination ?? this.#engine.local(session.pair);
    return {
      id: this.#ids.text(session.number),
      protocol: 'tcp',
      listener: listener.plan.name,
      client: formatAddress(session.client(peer)),
      local: formatAddress(local),
      pool: pool?.name ?? null,
      backend: session.backend?.name ?? null,
      policy: pool?.settings.policy.name ?? null,
      tried: session.tried?.map((backend) => backend.name) ?? [],
      queueMs: session.queueMs,
      connectMs: session.connectMs,
      firstByteMs: session.firstByteMs,
      durationMs: nowMs - session.acceptedMs,
      bytesIn: session.countedIn,
      bytesOut: session.countedOut,
      unlogged: 0,
      leftOut: typeof line === 'number' ? line : null,
      clientPath: session.paths?.client ?? null,
      backendPath: session.paths?.backend ?? null,
      end,
    };
  }

  #move(session: TcpSession, series: SeriesId): void {
    if (series === session.series) return;
    this.#series.add(session.series, PLAIN_COLUMN.active, -1);
    this.#series.add(series, PLAIN_COLUMN.active, 1);
    session.series = series;
  }
}
