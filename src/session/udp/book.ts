/** What is counted and written down about flows; the only place here that touches the series. */
import type { AccessRecord } from '../../core/access.js';
import type { AccessRefusal } from '../../core/access_table.js';
import type { FlowId, SeriesId } from '../../core/brand.js';
import { formatAddress, type Peer } from '../../core/endpoint.js';
import type { Cause, DatagramDrop, DialFailure, DryRefusal, End } from '../../core/outcome.js';
import type { SeriesWriter } from '../../core/series.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DROP_COLUMN,
  DRY_COLUMN,
  PLAIN_COLUMN,
} from '../../core/series_layout.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { PooledBackend } from '../../pool/selection.js';
import { CountedClients, type LimitRefusal } from '../counted_clients.js';
import { type LineChoice, LineChooser } from '../line_choice.js';
import type { ListenerKey } from '../tcp_port.js';
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlowsDeps } from './deps.js';
import type { UdpFlow } from './flow.js';
import type { UdpListener } from './listener.js';
import { HANDED_ON, type HandedOnCounts } from './taken_back.js';

export class FlowBook {
  readonly lines: LineChooser;
  readonly #series: SeriesWriter;
  readonly #engine: UdpEngine;
  readonly #ids: SessionIds;
  readonly #write: (record: AccessRecord) => void;
  readonly #counted: CountedClients;

  constructor(deps: UdpFlowsDeps) {
    this.lines = new LineChooser('udp', deps.random);
    this.#series = deps.series;
    this.#engine = deps.engine;
    this.#ids = deps.ids;
    this.#write = deps.access;
    this.#counted = new CountedClients(deps.engine.capacity, deps, this);
  }

  /** Where `flow` is counted while it is at `backend`. */
  rowOf(flow: UdpFlow, backend: PooledBackend): SeriesId {
    return this.#series.rowOf(flow.listener.id, backend.id);
  }

  /**
   * Why the sender of a first datagram is refused by its address; behind a trusted proxy both
   * addresses count, as for TCP. A dry run is counted, and refuses no client.
   */
  barred(listener: UdpListener, key: ListenerKey, id: FlowId): AccessRefusal | null {
    const { headers } = listener;
    const { admission } = listener.faceAt(key);
    if (admission === null) return null;
    const peer = this.#engine.client(id);
    const refusal = headers === null ? null : admission.refusalOfProxy(peer, listener, this);
    return refusal ?? admission.refusal(this.#clientOf(listener, id), listener, this);
  }

  /** Why it may have no flow more; null: it has one from now on. */
  limited(listener: UdpListener, key: ListenerKey, id: FlowId): LimitRefusal | null {
    const { limiter } = listener.faceAt(key);
    if (limiter === null) return null;
    return this.#counted.refusal(limiter, id, this.#clientOf(listener, id), listener);
  }

  /** A header that names no client (LOCAL, UNSPEC) leaves the datagram with its own address. */
  #clientOf({ headers }: UdpListener, id: FlowId): Peer {
    return headers?.last?.source ?? this.#engine.client(id);
  }

  /** The flow is over, or did not begin. */
  uncount(id: FlowId): void {
    if (this.#counted.any) this.#counted.over(id);
  }

  wouldRefuse({ plan }: Pick<UdpListener, 'plan'>, reason: DryRefusal): void {
    this.#series.add(plan.series, DRY_COLUMN[reason], 1);
  }

  uncounted({ plan }: Pick<UdpListener, 'plan'>): void {
    this.#series.add(plan.series, PLAIN_COLUMN.uncounted, 1);
  }

  started(flow: UdpFlow): void {
    this.#series.add(flow.listener.plan.series, PLAIN_COLUMN.accepted, 1);
    this.#series.add(flow.series, PLAIN_COLUMN.active, 1);
  }

  /** A started flow that counted at `before` counts at its present series from now on. */
  moved(flow: UdpFlow, before: SeriesId): void {
    if (flow.series === before) return;
    this.#series.add(before, PLAIN_COLUMN.active, -1);
    this.#series.add(flow.series, PLAIN_COLUMN.active, 1);
  }

  dropped(series: SeriesId, reason: DatagramDrop, datagrams: number): void {
    this.#series.add(series, DROP_COLUMN[reason], datagrams);
  }

  unreachable(flow: UdpFlow, failure: DialFailure): void {
    this.#series.add(flow.series, DIAL_COLUMN[failure], 1);
  }

  retried(flow: UdpFlow): void {
    this.#series.add(flow.series, PLAIN_COLUMN.retries, 1);
  }

  firstByte(flow: UdpFlow, milliseconds: number): void {
    this.#series.observe(flow.series, 'firstByte', milliseconds / 1000);
  }

  /** Adds what has moved since the last call. */
  count(flow: UdpFlow): void {
    const { series, counted, listener } = flow;
    for (const what of HANDED_ON) {
      const more = this.#uncounted(flow, what);
      // What the engine takes back goes from what comes next, here or at the flow's end.
      if (more <= 0) continue;
      counted[what] += more;
      this.#series.add(series, PLAIN_COLUMN[what], listener.takenBack.without(what, more));
    }
  }

  /** `count` datagrams were held for a flow that ended with `cause`. */
  lost(series: SeriesId, cause: Cause, count: number): void {
    if (count > 0) this.dropped(series, lostFor(cause), count);
  }

  /** Closes the account; the engine must still know the flow. */
  ended(flow: UdpFlow, end: End, nowMs: number): void {
    this.count(flow);
    this.#takeBack(flow);
    this.#series.add(flow.series, PLAIN_COLUMN.active, -1);
    this.#series.add(flow.series, CAUSE_COLUMN[end.cause], 1);
    this.#series.observe(flow.series, 'session', (nowMs - flow.startedMs) / 1000);
    const line = this.lines.choose(end.cause, flow.triedNames?.length ?? 0);
    if (line !== 'no line') this.#write(this.#record(flow, end, nowMs, line));
  }

  #record(flow: UdpFlow, end: End, nowMs: number, line: LineChoice): AccessRecord {
    const { plan } = flow.listener;
    const pool = flow.pool ?? flow.leadsTo;
    const local = flow.proxied?.destination ?? this.#engine.local(flow.id);
    return {
      id: this.#ids.text(flow.number),
      protocol: 'udp',
      listener: plan.name,
      client: formatAddress(flow.client(this.#engine.client(flow.id))),
      local: formatAddress(local),
      pool: pool.name,
      backend: flow.backend?.name ?? null,
      policy: pool.settings.policy.name,
      tried: flow.triedNames ?? [],
      queueMs: null,
      connectMs: null,
      firstByteMs: flow.firstByteMs,
      durationMs: nowMs - flow.startedMs,
      bytesIn: flow.counted.bytesIn,
      bytesOut: flow.counted.bytesOut,
      unlogged: 0,
      leftOut: typeof line === 'number' ? line : null,
      clientPath: null,
      backendPath: null,
      end,
    };
  }

  /** What has come back since it was counted. */
  #takeBack(flow: UdpFlow): void {
    for (const what of HANDED_ON) {
      const less = -this.#uncounted(flow, what);
      if (less <= 0) continue;
      flow.counted[what] -= less;
      flow.listener.takenBack.add(what, less);
    }
  }

  /** What the engine has handed on, less what was counted. */
  #uncounted({ id, counted }: UdpFlow, what: keyof HandedOnCounts): number {
    return (this.#engine[what][id] ?? 0) - counted[what];
  }
}

/** Why the datagrams are lost that were held for a flow. */
function lostFor(cause: Cause): DatagramDrop {
  const same = cause === 'no-backend' || cause === 'all-full' || cause === 'internal-error';
  // Its socket closes, or was handed over.
  if (cause === 'drained') return 'listener-closing';
  return same ? cause : 'all-down';
}
