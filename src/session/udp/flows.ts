/**
 * The life of every UDP flow of one worker, engine-independent: what happens next after each edge.
 * Choosing and waiting are in choosing.ts, counting in book.ts; this file knows the phases.
 */
import { assertShared, escalate, present, presentShared, unreachable } from '../../core/assert.js';
import type { BackendId, FlowId } from '../../core/brand.js';
import { doEach } from '../../core/do_each.js';
import type { IpEndpoint } from '../../core/endpoint.js';
import type { Cause, DatagramDrop, EndedBy, Stage } from '../../core/outcome.js';
import type { AccessLevel } from '../../core/spec.js';
import type { Lease } from '../../pool/selection.js';
import { DeadlineWheel } from '../deadline_wheel.js';
import { reportUnlessShared } from '../defect.js';
import { DUE_A_TURN } from '../due.js';
import { expiryMs, SWEEP_MS } from '../lifetimes.js';
import { type HowToEnd, Notices } from '../notices.js';
import type { ListenerKey } from '../tcp_port.js';
import type { DatagramDecision, UdpEdges, UdpEngine, Unwrapped } from '../udp_port.js';
import { FlowBook } from './book.js';
import { type FlowChoice, FlowChoosing } from './choosing.js';
import { idleAtMs, nextMs, patienceMs } from './deadlines.js';
import type { UdpFlowsDeps } from './deps.js';
import { UdpFlow } from './flow.js';
import { handOver, isOwed, longestIdle, OWED_MS } from './hand_over.js';
import type { UdpListener } from './listener.js';
import { UdpListeners } from './listeners.js';
import { UdpSource } from './source.js';

export class UdpFlows implements UdpEdges {
  readonly #deps: UdpFlowsDeps;
  readonly #engine: UdpEngine;
  readonly #book: FlowBook;
  readonly #choosing: FlowChoosing;
  readonly #wheel: DeadlineWheel;
  /** What a plan says of them goes there. */
  readonly listeners: UdpListeners;
  /** By flow number. */
  readonly #flows: (UdpFlow | undefined)[] = [];
  readonly #expire = (id: number): void => this.#alone(this.#flow(id as FlowId), this.#dueNow);
  readonly #dueNow = (flow: UdpFlow): void => this.#expired(flow);
  readonly #notices: Notices<UdpFlow>;
  readonly source: UdpSource;
  readonly #countUp = (flow: UdpFlow): void => this.#book.count(flow);
  #count = 0;
  #lastSweepMs: number;
  #sweep: 'due' | 'at rest' = 'at rest';

  constructor(deps: UdpFlowsDeps) {
    this.#deps = deps;
    this.#engine = deps.engine;
    this.#lastSweepMs = deps.clock.nowMs();
    this.#book = new FlowBook(deps);
    this.#choosing = new FlowChoosing(deps.engine, deps.clock, this.#book);
    this.#wheel = new DeadlineWheel(deps.engine.capacity, deps.clock.nowMs());
    this.source = new UdpSource(this.#flows, deps.engine, deps.ids);
    this.#notices = new Notices({
      ...deps,
      isOver: (flow) => this.#flows[flow.id] !== flow,
      due: (flow) => this.#alone(flow, () => this.#endNow(flow)),
      arm: (flow) => this.#arm(flow),
    });
    this.listeners = new UdpListeners(deps, {
      endFlowsOf: (listener) => this.#endAll((flow) => flow.listener === listener),
      endFlowsAt: (key) => this.#endAll((flow) => flow.key === key),
      handOverFlowsAt: (key) => this.#handOverFlowsAt(key),
      rearmFlowsOf: (listener) => {
        for (const flow of this.#open()) if (flow.listener === listener) this.#arm(flow);
      },
    });
  }

  /** Flows that are not over. */
  get count(): number {
    return this.#count;
  }
  set access(level: AccessLevel) {
    this.#book.lines.level = level;
  }

  /**
   * Ends the flows of `backend` (null: all), those first that have been idle longest. A client that
   * goes on sending begins a new flow elsewhere.
   */
  endFlows(backend: BackendId | null, cause: Cause, spanMs: number): void {
    this.end(longestIdle(this.#open(), backend, this.#engine), { cause, spanMs, backend });
  }

  end(chosen: readonly UdpFlow[], how: HowToEnd): void {
    this.#notices.give(chosen, how);
  }

  /** A ring of the doorbell: states may have changed, or a hold. Who waits for the same speaks. */
  rung(): void {
    for (const listener of this.listeners.all()) {
      for (const flow of [...listener.unproven]) {
        const before = patienceMs(flow);
        let choice: FlowChoice | 'broken' = 'broken';
        this.#alone(flow, () => {
          choice = this.#retry(flow);
        });
        if ((choice as string) === 'unproven' && patienceMs(flow) === before) break;
      }
    }
  }

  /** Expires deadlines; answers when the next one comes. */
  tick(nowMs: number): number {
    if (this.#count > 0) this.#wheel.advance(nowMs, this.#expire, DUE_A_TURN);
    this.#notices.runAgain();
    // Here and not with the flow: the last reply has left the socket by now.
    const closeMs = this.listeners.settle(nowMs);
    if (this.#count === 0) return closeMs;
    const nextSweepMs = this.#lastSweepMs + SWEEP_MS;
    if (nowMs >= nextSweepMs) this.#sweepCounters(nowMs);
    const nextMs = Math.min(closeMs, this.#wheel.nextMs(), this.#notices.dueMs);
    return this.#sweep === 'due' ? Math.min(nextMs, this.#lastSweepMs + SWEEP_MS) : nextMs;
  }

  unwrap(key: ListenerKey, peer: IpEndpoint, datagram: Uint8Array): Unwrapped {
    const listener = this.listeners.byKey(key);
    const headers = present(listener.headers, 'a header is read where none is expected');
    const unwrapped = headers.read(peer, datagram);
    if (unwrapped.kind === 'drop') this.#book.dropped(listener.plan.series, unwrapped.reason, 1);
    return unwrapped;
  }

  newFlow(key: ListenerKey, id: FlowId): 'kept' | DatagramDrop {
    assertShared(this.#flows[id] === undefined, 'an engine used a flow before it was closed');
    const listener = this.listeners.byKey(key);
    const refusal = this.listeners.enter(listener, {
      barred: () => this.#book.barred(listener, key, id),
      limited: () => this.#book.limited(listener, key, id),
    });
    if (refusal !== null) {
      this.#book.uncount(id);
      return this.#refuse(listener, refusal);
    }
    const now = this.#deps.clock.nowMs();
    const number = this.#deps.ids.next();
    const flow = new UdpFlow(id, number, key, listener, listener.headers?.last ?? null, now);
    let choice: FlowChoice;
    try {
      choice = this.#choosing.choose(flow);
      flow.expiresMs = expiryMs(now, listener.plan.settings.maxSessionAgeMs, this.#deps.random);
      if (choice === 'open' || choice === 'unproven') {
        this.#arm(flow);
        this.#book.started(flow);
      }
    } catch (error) {
      return this.#brokenAtStart(flow, error);
    }
    if (choice !== 'open' && choice !== 'unproven') {
      this.#book.uncount(id);
      listener.leave();
      return this.#refuse(listener, choice);
    }
    this.#flows[id] = flow;
    this.#count++;
    return 'kept';
  }

  fromClient(id: FlowId): DatagramDecision {
    const flow = this.#flow(id);
    const { phase } = flow;
    if (phase.at === 'open') {
      if (flow.leadsTo.mayStay(phase.lease.backend.id)) return 'forward';
      if (flow.pinnedUntilMs > this.#deps.clock.nowMs()) return 'forward';
      this.#unseat(flow, 'moving');
    }
    const choice = this.#retry(flow);
    if (choice === 'open') return 'forward';
    if (choice === 'unproven') return 'hold';
    this.#book.dropped(flow.series, choice, 1);
    return 'drop';
  }

  fromBackend(id: FlowId): void {
    const flow = this.#flow(id);
    if (flow.answered === 'no' && flow.phase.at === 'open') this.#answered(flow, flow.phase.lease);
    if (flow.socket === 'handed over' && !isOwed(flow, this.#engine)) {
      return this.#end(flow, 'sluice', 'drain', 'drained');
    }
    const wanted = flow.pool?.settings.udpResponses ?? 0;
    if (wanted === 0) return;
    const replies = this.#engine.datagramsOut[id] ?? 0;
    // A reply that is still owed for another datagram is waited for: a resolver asks for A and AAAA
    // at once from one socket.
    if (replies >= wanted && replies >= (this.#engine.datagramsIn[id] ?? 0)) {
      this.#end(flow, 'backend', 'relay', 'responses-done');
    }
  }

  unreachable(id: FlowId, which: 'first' | 'later'): DatagramDecision {
    const flow = this.#flow(id);
    const { series } = flow;
    if (flow.phase.at === 'open') {
      this.#book.unreachable(flow, 'refused');
      this.#unseat(flow, 'unreachable');
      if (which === 'first') {
        const choice = this.#retry(flow, flow.tried?.length ?? 0);
        if (choice === 'open') return 'forward';
        if (choice === 'unproven') return 'hold';
      }
    }
    this.#book.dropped(series, 'backend-unreachable', 1);
    return 'drop';
  }

  dropped(key: ListenerKey, id: FlowId | null, reason: DatagramDrop): void {
    const flow = id === null ? undefined : this.#flows[id];
    const series = flow?.series ?? this.listeners.lastOf(key)?.plan.series;
    if (series !== undefined) this.#book.dropped(series, reason, 1);
  }

  broken(id: FlowId | null, error: unknown): void {
    const flow = id === null ? undefined : this.#flows[id];
    reportUnlessShared(this.#deps.internalError, error, flow?.listener.plan.name ?? null);
    if (flow === undefined) return;
    const stage = flow.phase.at === 'open' ? 'relay' : 'select';
    try {
      this.#end(flow, 'sluice', stage, 'internal-error');
    } catch (further) {
      escalate(further);
    }
  }

  /** Does for one flow what is done for many: what breaks in it ends that flow only. */
  #alone(flow: UdpFlow, work: (flow: UdpFlow) => void): void {
    try {
      work(flow);
    } catch (error) {
      this.broken(flow.id, error);
    }
  }

  /** It was not started, so nothing was counted but its place and its reservation. */
  #brokenAtStart(flow: UdpFlow, error: unknown): DatagramDrop {
    const { listener } = flow;
    reportUnlessShared(this.#deps.internalError, error, listener.plan.name);
    this.#wheel.clear(flow.id);
    try {
      this.#giveBack(flow);
    } catch (further) {
      escalate(further);
    }
    return this.#refuse(listener, 'internal-error');
  }

  #answered(flow: UdpFlow, lease: Lease): void {
    const firstByteMs = this.#deps.clock.nowMs() - flow.openedMs;
    flow.answered = 'yes';
    flow.tried = null;
    flow.firstByteMs ??= firstByteMs;
    this.#book.firstByte(flow, firstByteMs);
    lease.answered(firstByteMs);
  }

  /** Counts a flow that goes on at its listener, and only then gives up its reservation. */
  #unseat(flow: UdpFlow, because: 'unreachable' | 'moving'): void {
    const before = flow.series;
    this.#book.count(flow);
    flow.series = flow.listener.plan.series;
    this.#book.moved(flow, before);
    this.#choosing.leave(flow, because);
  }

  /**
   * A flow that was started and has no reservation looks for a backend. `spent`: a first datagram
   * has come back from so many, which stay out.
   */
  #retry(flow: UdpFlow, spent = 0): FlowChoice {
    const waited = flow.phase.at === 'unproven';
    const before = flow.series;
    const choice = this.#choosing.choose(flow, spent);
    this.#book.moved(flow, before);
    if (choice === 'open' || choice === 'unproven') this.#arm(flow);
    else if (waited) this.#giveUp(flow, choice);
    return choice;
  }

  #expired(flow: UdpFlow): void {
    const now = this.#deps.clock.nowMs();
    const { phase, notice } = flow;
    const isIdle = idleAtMs(flow, this.#engine) <= now;
    if (notice !== null && notice.atMs <= now) {
      return this.#end(flow, 'sluice', 'drain', notice.cause);
    }
    if (flow.expiresMs <= now) return this.#end(flow, 'sluice', 'relay', 'max-age');
    switch (phase.at) {
      case 'unproven':
        if (phase.untilMs <= now) return this.#giveUp(flow, 'all-down');
        break;
      case 'open':
        if (isIdle) return this.#end(flow, 'sluice', 'relay', 'idle-timeout');
        break;
      case 'adrift':
        if (isIdle) return this.#end(flow, 'sluice', 'relay', 'backend-down');
        break;
      default:
        return unreachable(phase);
    }
    this.#arm(flow);
  }

  #arm(flow: UdpFlow): void {
    this.#wheel.set(flow.id, nextMs(flow, this.#engine));
  }

  /** A flow that waited will have no backend; what was held for it is lost. */
  #giveUp(flow: UdpFlow, reason: DatagramDrop): void {
    const cause = reason === 'no-backend' || reason === 'all-full' ? reason : 'all-down';
    this.#end(flow, 'sluice', 'select', cause);
  }

  #end(flow: UdpFlow, by: EndedBy, stage: Stage, cause: Cause): void {
    this.#wheel.clear(flow.id);
    this.#flows[flow.id] = undefined;
    this.#count--;
    // Whatever breaks, in the account or in giving back: all is given back, each thing once.
    doEach(null, [
      () => this.#book.ended(flow, { by, stage, cause }, this.#deps.clock.nowMs()),
      () => this.#book.lost(flow.series, cause, this.#engine.closeFlow(flow.id)),
      () => this.#giveBack(flow),
    ]);
  }

  #endNow(flow: UdpFlow): void {
    if (flow.notice !== null) this.#end(flow, 'sluice', 'drain', flow.notice.cause);
  }

  #giveBack(flow: UdpFlow): void {
    doEach(null, [
      () => this.#choosing.forget(flow),
      () => this.#choosing.leave(flow, 'moving'),
      () => {
        this.#book.uncount(flow.id);
        flow.listener.leave();
      },
    ]);
  }

  #endAll(which: (flow: UdpFlow) => boolean): void {
    for (const flow of this.#open().filter(which)) {
      this.#alone(flow, () => this.#end(flow, 'sluice', 'drain', 'drained'));
    }
  }

  #handOverFlowsAt(key: ListenerKey): number {
    const untilMs = this.#deps.clock.nowMs() + OWED_MS;
    for (const flow of this.#open().filter((each) => each.key === key)) {
      this.#alone(flow, () => {
        if (!isOwed(flow, this.#engine)) return this.#end(flow, 'sluice', 'drain', 'drained');
        this.#arm(handOver(flow, untilMs));
      });
    }
    return untilMs;
  }

  #refuse(listener: UdpListener, reason: DatagramDrop): DatagramDrop {
    this.#book.dropped(listener.plan.series, reason, 1);
    return reason;
  }

  #sweepCounters(nowMs: number): void {
    const { lastActivityMs } = this.#engine;
    this.#sweep = 'at rest';
    for (const flow of this.#flows) {
      if (flow === undefined || (lastActivityMs[flow.id] ?? 0) < this.#lastSweepMs) continue;
      this.#alone(flow, this.#countUp);
      this.#sweep = 'due';
    }
    this.#lastSweepMs = nowMs;
  }

  #open(): UdpFlow[] {
    return this.#count === 0 ? [] : this.#flows.filter((flow) => flow !== undefined);
  }

  #flow(id: FlowId): UdpFlow {
    return presentShared(this.#flows[id], 'an engine reported an edge of a flow that is closed');
  }
}
