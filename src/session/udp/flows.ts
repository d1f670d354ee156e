/**
 * The life of every UDP flow of one worker, engine-independent: what happens next after each edge.
 * Choosing and waiting are in choosing.ts, deadlines, ends and counting in files of those names;
 * this one knows the way from phase to phase.
 */
import { escalate, present } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { PeerEndpoint } from '../../core/endpoint.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { AccessLevel } from '../../core/spec.js';
import { reportUnlessShared } from '../defect.js';
import { DUE_PER_TURN } from '../due.js';
import { expiryMs } from '../lifetimes.js';
import { type HowToEnd, Notices } from '../notices.js';
import { Sweep } from '../sweep.js';
import type { ListenerKey } from '../tcp_port.js';
import type { DatagramDecision, HandedOn, UdpEdges, UdpEngine, Unwrapped } from '../udp_port.js';
import { FlowBook } from './book.js';
import { type FlowChoice, FlowChoosing } from './choosing.js';
import { FlowDeadlines, patienceMs } from './deadlines.js';
import type { UdpFlowsDeps } from './deps.js';
import { FlowEnds } from './ending.js';
import { UdpFlow } from './flow.js';
import { handOver, isOwed, longestIdle, OWED_MS } from './hand_over.js';
import type { UdpListener } from './listener.js';
import { UdpListeners } from './listeners.js';
import { OpenFlows } from './open_flows.js';
import { UdpSource } from './source.js';

export class UdpFlows implements UdpEdges {
  readonly #deps: UdpFlowsDeps;
  readonly #engine: UdpEngine;
  readonly #book: FlowBook;
  readonly #choosing: FlowChoosing;
  readonly #wheel: FlowDeadlines;
  /** What a plan says of them goes there. */
  readonly listeners: UdpListeners;
  readonly #flows = new OpenFlows();
  readonly #ends: FlowEnds;
  readonly #expire = (id: number): void => this.#alone(this.#flows.at(id as FlowId), this.#dueNow);
  readonly #dueNow = (flow: UdpFlow): void => this.#expired(flow);
  readonly notices: Notices<UdpFlow>;
  readonly source: UdpSource;
  readonly #countUp = (flow: UdpFlow): void => this.#book.count(flow);
  readonly #drainOne = (flow: UdpFlow): void => this.#ends.drained(flow);
  readonly #sweep: Sweep;

  constructor(deps: UdpFlowsDeps) {
    this.#deps = deps;
    this.#engine = deps.engine;
    this.#book = new FlowBook(deps);
    this.#choosing = new FlowChoosing(deps.engine, deps.clock, this.#book);
    this.#wheel = new FlowDeadlines(deps.engine, deps.clock);
    this.#ends = new FlowEnds({
      ...deps,
      flows: this.#flows,
      book: this.#book,
      choosing: this.#choosing,
      wheel: this.#wheel,
    });
    this.#sweep = new Sweep(deps.engine.lastActivityMs);
    this.source = new UdpSource(this.#flows.byId, deps.engine, deps.ids);
    this.notices = new Notices({
      ...deps,
      all: () => this.#flows.all(),
      isOver: (flow) => this.#flows.find(flow.id) !== flow,
      due: (flow) => this.#alone(flow, (noticed) => this.#ends.noticed(noticed)),
      arm: (flow) => this.#wheel.arm(flow),
    });
    this.listeners = new UdpListeners(deps, {
      endFlowsOf: (listener) => this.#each((flow) => flow.listener === listener, this.#drainOne),
      endFlowsAt: (key) => this.#each((flow) => flow.key === key, this.#drainOne),
      handOverFlowsAt: (key) => this.#handOverFlowsAt(key),
      rearmFlowsOf: (listener) => this.#each((flow) => flow.listener === listener, this.#wheel.arm),
    });
  }

  /** Flows that are not over. */
  get count(): number {
    return this.#flows.count;
  }
  set access(level: AccessLevel) {
    this.#book.lines.level = level;
  }

  /**
   * Ends the flows of a backend (null: all), those first that have been idle longest. A client that
   * goes on sending begins a new flow elsewhere.
   */
  endFlows(how: HowToEnd): void {
    this.notices.give(longestIdle(this.#flows.all(), how.backend, this.#engine), how);
  }

  /** A stop has begun: flows at rest end. */
  finish(): void {
    this.#wheel.service = 'finishes';
    this.#each(() => true, this.#wheel.arm);
  }

  /** The doorbell rang: states may have changed, or a hold. One flow asks for all like it. */
  rung(): void {
    for (const listener of this.#choosing.waited()) {
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
    if (this.#flows.count > 0) this.#wheel.advance(nowMs, this.#expire, DUE_PER_TURN);
    this.notices.runAgain();
    // Here and not with the flow: the last reply has left the socket by now.
    const closeMs = this.listeners.settle(nowMs);
    if (this.#flows.count === 0) return closeMs;
    if (this.#sweep.isTime(nowMs)) {
      this.#sweep.run(nowMs, this.#flows.byId, (flow) => this.#alone(flow, this.#countUp));
    }
    return Math.min(closeMs, this.#wheel.nextMs(), this.notices.dueMs, this.#sweep.nextMs);
  }

  unwrap(key: ListenerKey, peer: PeerEndpoint, datagram: Uint8Array): Unwrapped {
    const listener = this.listeners.byKey(key);
    const headers = present(listener.headers, 'a header is read where none is expected');
    const unwrapped = headers.read(peer, datagram);
    if (unwrapped.kind === 'drop') this.#book.dropped(listener.plan.series, unwrapped.reason, 1);
    return unwrapped;
  }

  newFlow(key: ListenerKey, id: FlowId): 'kept' | DatagramDrop {
    this.#flows.mustBeFree(id);
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
        this.#wheel.arm(flow);
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
    this.#flows.add(flow);
    return 'kept';
  }

  fromClient(id: FlowId): DatagramDecision {
    const flow = this.#flows.at(id);
    const { phase } = flow;
    if (phase.at === 'open') {
      if (flow.leadsTo.mayStay(phase.lease.id)) return 'forward';
      if (flow.pinnedUntilMs > this.#deps.clock.nowMs()) return 'forward';
      this.#choosing.unseat(flow, 'moving');
    }
    const choice = this.#retry(flow);
    if (choice === 'open') return 'forward';
    if (choice === 'unproven') return 'hold';
    this.#book.dropped(flow.series, choice, 1);
    return 'drop';
  }

  fromBackend(id: FlowId): void {
    const flow = this.#flows.at(id);
    if (flow.answered === 'no' && flow.phase.at === 'open')
      this.#choosing.answered(flow, flow.phase.lease);
    if (flow.socket === 'handed over' && !isOwed(flow, this.#engine)) {
      return this.#drainOne(flow);
    }
    const wanted = flow.pool?.settings.udpResponses ?? 0;
    if (wanted === 0) return;
    const replies = this.#engine.datagramsOut[id] ?? 0;
    // A reply that is still owed for another datagram is waited for: a resolver asks for A and AAAA
    // at once from one socket.
    if (replies >= wanted && replies >= (this.#engine.datagramsIn[id] ?? 0)) {
      this.#ends.end(flow, 'backend', 'relay', 'responses-done');
    }
  }

  unreachable(id: FlowId, which: 'first' | 'later'): DatagramDecision {
    const flow = this.#flows.at(id);
    const { series } = flow;
    if (flow.phase.at === 'open') {
      this.#book.unreachable(flow, 'refused');
      this.#choosing.unseat(flow, 'unreachable');
      if (which === 'first') {
        const choice = this.#retry(flow, flow.tried?.length ?? 0);
        if (choice === 'open') return 'forward';
        if (choice === 'unproven') return 'hold';
      } else this.#wheel.arm(flow);
    }
    this.#book.dropped(series, 'backend-unreachable', 1);
    return 'drop';
  }

  dropped(key: ListenerKey, id: FlowId | null, reason: DatagramDrop, counted?: HandedOn): void {
    const listener = this.listeners.lastOf(key);
    const series = this.#flows.find(id)?.series ?? listener?.plan.series;
    if (series !== undefined) this.#book.dropped(series, reason, 1);
    if (counted !== undefined) listener?.takenBack.datagram(counted);
  }

  broken(id: FlowId | null, error: unknown): void {
    const flow = this.#flows.find(id);
    reportUnlessShared(this.#deps.internalError, error, flow?.listener.plan.name ?? null);
    if (flow === undefined) return;
    const stage = flow.phase.at === 'open' ? 'relay' : 'select';
    try {
      this.#ends.end(flow, 'sluice', stage, 'internal-error');
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

  #brokenAtStart(flow: UdpFlow, error: unknown): DatagramDrop {
    reportUnlessShared(this.#deps.internalError, error, flow.listener.plan.name);
    try {
      this.#ends.undo(flow);
    } catch (further) {
      escalate(further);
    }
    return this.#refuse(flow.listener, 'internal-error');
  }

  /**
   * A flow that was started and has no reservation looks for a backend. `spent`: how many have sent
   * a first datagram back; they stay out.
   */
  #retry(flow: UdpFlow, spent = 0): FlowChoice {
    const waited = flow.phase.at === 'unproven';
    const before = flow.series;
    const choice = this.#choosing.choose(flow, spent);
    this.#book.moved(flow, before);
    if (waited && choice !== 'open' && choice !== 'unproven') this.#ends.giveUp(flow, choice);
    else this.#wheel.arm(flow);
    return choice;
  }

  #expired(flow: UdpFlow): void {
    const end = this.#wheel.endOf(flow);
    if (end === null) this.#wheel.arm(flow);
    else this.#ends.end(flow, end.by, end.stage, end.cause);
  }

  #each(which: (flow: UdpFlow) => boolean, work: (flow: UdpFlow) => void): void {
    for (const flow of this.#flows.all().filter(which)) this.#alone(flow, work);
  }

  #handOverFlowsAt(key: ListenerKey): number {
    const untilMs = this.#deps.clock.nowMs() + OWED_MS;
    this.#each(
      (flow) => flow.key === key,
      (flow) => {
        if (!isOwed(flow, this.#engine)) return this.#drainOne(flow);
        this.#wheel.arm(handOver(flow, untilMs));
      },
    );
    return untilMs;
  }

  #refuse(listener: UdpListener, reason: DatagramDrop): DatagramDrop {
    this.#book.dropped(listener.plan.series, reason, 1);
    return reason;
  }
}
