/** Clients that are refused and shall wait for it: they are reset when their time has come. */
import type { PairId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import { DeadlineWheel } from '../deadline_wheel.js';
import { DUE_PER_TURN } from '../due.js';
import type { TcpEngine } from '../tcp_port.js';

/** Of one worker; each has a descriptor. */
const MOST = 1_000;

export class LateResets {
  readonly #engine: TcpEngine;
  readonly #clock: Clock;
  readonly #pairs = new Set<PairId>();
  readonly #expire = (id: number): void => this.#reset(id as PairId);
  /** Made when the first one waits. */
  #wheel: DeadlineWheel | null = null;

  constructor(engine: TcpEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  get count(): number {
    return this.#pairs.size;
  }

  /** Resets `pair` after `delayMs`; now, where too many wait. */
  reset(pair: PairId, delayMs: number): void {
    if (this.#pairs.size >= MOST) return this.#engine.close(pair, 'reset');
    const now = this.#clock.nowMs();
    this.#wheel ??= new DeadlineWheel(this.#engine.capacity, now);
    this.#pairs.add(pair);
    this.#wheel.set(pair, now + delayMs);
  }

  /** `pair` is over. */
  forget(pair: PairId): void {
    if (this.#pairs.delete(pair)) this.#wheel?.clear(pair);
  }

  /** None waits any longer. */
  resetAll(): void {
    for (const pair of [...this.#pairs]) this.#reset(pair);
  }

  /** Resets those whose time has come; answers when the next one is due. */
  tick(nowMs: number): number {
    if (this.#wheel === null) return Number.POSITIVE_INFINITY;
    this.#wheel.advance(nowMs, this.#expire, DUE_PER_TURN);
    return this.#wheel.nextMs();
  }

  #reset(pair: PairId): void {
    this.forget(pair);
    this.#engine.close(pair, 'reset');
  }
}
