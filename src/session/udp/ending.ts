/** The end of a flow: its account is closed, and all that it had is given back. */
import type { Clock } from '../../core/clock.js';
import { doEach } from '../../core/do_each.js';
import type { Cause, DatagramDrop, EndedBy, Stage } from '../../core/outcome.js';
import type { DeadlineWheel } from '../deadline_wheel.js';
import type { UdpEngine } from '../udp_port.js';
import type { FlowBook } from './book.js';
import type { FlowChoosing } from './choosing.js';
import type { UdpFlow } from './flow.js';
import type { OpenFlows } from './open_flows.js';

export interface FlowEndsDeps {
  readonly engine: UdpEngine;
  readonly clock: Clock;
  readonly flows: OpenFlows;
  readonly book: FlowBook;
  readonly choosing: FlowChoosing;
  readonly wheel: DeadlineWheel;
}

export class FlowEnds {
  readonly #deps: FlowEndsDeps;

  constructor(deps: FlowEndsDeps) {
    this.#deps = deps;
  }

  end(flow: UdpFlow, by: EndedBy, stage: Stage, cause: Cause): void {
    const { engine, clock, flows, book, wheel } = this.#deps;
    wheel.clear(flow.id);
    flows.remove(flow);
    // Whatever breaks, in the account or in giving back: all is given back, each thing once.
    doEach(null, [
      () => book.ended(flow, { by, stage, cause }, clock.nowMs()),
      () => book.lost(flow.series, cause, engine.closeFlow(flow.id)),
      () => this.#giveBack(flow),
    ]);
  }

  drained(flow: UdpFlow): void {
    this.end(flow, 'sluice', 'drain', 'drained');
  }

  /** By order. */
  noticed(flow: UdpFlow): void {
    if (flow.notice !== null) this.end(flow, 'sluice', 'drain', flow.notice.cause);
  }

  /** A flow that waited will have no backend; what was held for it is lost. */
  giveUp(flow: UdpFlow, reason: DatagramDrop): void {
    const cause = reason === 'no-backend' || reason === 'all-full' ? reason : 'all-down';
    this.end(flow, 'sluice', 'select', cause);
  }

  /** It was not started, so nothing was counted but its place and its reservation. */
  undo(flow: UdpFlow): void {
    this.#deps.wheel.clear(flow.id);
    this.#giveBack(flow);
  }

  #giveBack(flow: UdpFlow): void {
    const { book, choosing } = this.#deps;
    doEach(null, [
      () => choosing.forget(flow),
      () => choosing.leave(flow, 'moving'),
      () => {
        book.uncount(flow.id);
        flow.listener.leave();
      },
    ]);
  }
}
