/** When something is due for a UDP flow, and whether it ends then. */
import { unreachable } from '../../core/assert.js';
import type { Clock } from '../../core/clock.js';
import type { Cause, End, Stage } from '../../core/outcome.js';
import { DeadlineWheel } from '../deadline_wheel.js';
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlow } from './flow.js';
import { isOwed } from './hand_over.js';

/**
 * A client that waits for an answer over UDP has asked again by then: resolvers and RADIUS clients
 * wait for 5 s by default, and others for less.
 */
export const ASKED_AGAIN_MS = 10_000;
/** What rests for so long in a stop, with all replies given, is not waited for. */
export const AT_REST_MS = 5_000;

/** `finishes`: a stop has begun. */
export type FlowService = 'goes on' | 'finishes';

export class FlowDeadlines extends DeadlineWheel {
  service: FlowService = 'goes on';
  readonly #engine: UdpEngine;
  readonly #clock: Clock;

  constructor(engine: UdpEngine, clock: Clock) {
    super(engine.capacity, clock.nowMs());
    this.#engine = engine;
    this.#clock = clock;
  }

  /** To be called when a flow begins, and when it may end earlier than it could before. */
  readonly arm = (flow: UdpFlow): void => this.set(flow.id, this.#whenToLook(flow));

  /** Why `flow` ends now; null: it does not. */
  endOf(flow: UdpFlow): End | null {
    const { phase, notice } = flow;
    const nowMs = this.#clock.nowMs();
    if (notice !== null && notice.atMs <= nowMs) return by('drain', notice.cause);
    if (flow.expiresMs <= nowMs) return by('relay', 'max-age');
    switch (phase.at) {
      case 'unproven':
        return phase.untilMs <= nowMs ? by('select', 'all-down') : null;
      case 'open':
        if (this.#idleAtMs(flow) > nowMs) return null;
        return this.service === 'finishes' ? by('drain', 'drained') : by('relay', 'idle-timeout');
      case 'adrift':
        return this.#idleAtMs(flow) <= nowMs ? by('relay', 'backend-down') : null;
      default:
        return unreachable(phase);
    }
  }

  /**
   * The earliest of notice, age and patience; idleness is looked at only when its time may have
   * come.
   */
  #whenToLook(flow: UdpFlow): number {
    const { phase, notice, expiresMs } = flow;
    const patientMs = phase.at === 'unproven' ? phase.untilMs : this.#idleAtMs(flow);
    return Math.min(patientMs, expiresMs, notice?.atMs ?? Number.POSITIVE_INFINITY);
  }

  /** When `flow` has been idle for too long, unless a datagram comes. */
  #idleAtMs(flow: UdpFlow): number {
    return (this.#engine.lastActivityMs[flow.id] ?? 0) + this.#silenceMs(flow);
  }

  /** How long it may be silent. */
  #silenceMs(flow: UdpFlow): number {
    const { idleTimeoutMs } = flow.listener.plan.settings;
    if (flow.phase.at === 'adrift') return Math.min(idleTimeoutMs, ASKED_AGAIN_MS);
    if (this.service === 'goes on') return idleTimeoutMs;
    return Math.min(idleTimeoutMs, isOwed(flow, this.#engine) ? ASKED_AGAIN_MS : AT_REST_MS);
  }
}

/** Until when it waits for a backend; Infinity in a held pool, 0: it does not wait. */
export function patienceMs({ phase }: UdpFlow): number {
  return phase.at === 'unproven' ? phase.untilMs : 0;
}

function by(stage: Stage, cause: Cause): End {
  return { by: 'sluice', stage, cause };
}
