/**
 * Asks one source again and again, and lets a witness say what its answers mean. However fast a
 * source talks, it is asked a few times per second at most; one that fails, also one that fails
 * every other time, is asked less and less.
 */
import type { Timer } from '../core/clock.js';
import type { DiscoverySpec, SourceFailure } from '../core/discovery_spec.js';
import type { Proof } from '../core/proof.js';
import { jittered } from '../core/random.js';
import type { Doubt } from './doubt.js';
import { sameMembers } from './member_sets.js';
import type { Member, Source, SourceAnswer, SourceDeps } from './source.js';
import { givingUp } from './time_limit.js';
import { type HeldMember, Witness } from './witness.js';

/** Between two questions, whatever a source asks for. */
const MIN_GAP_MS = 250;
/** After a failure; doubled with each further one. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** One that fails again within this time goes on where its waits were: it answers now and then. */
const STEADY_MS = 2 * LAST_RETRY_MS;
/** So that a hundred sources do not come back to their server in one instant. */
const RETRY_JITTER = 0.2;
/** How often time is looked at while a member is held, or an answer waits to be confirmed. */
const LOOK_MS = 500;

export interface FollowerDeps extends SourceDeps {
  readonly source: Source;
  /** What probes say of a member. */
  readonly proofOf: (member: Member) => Proof;
  /** `members` has changed, or an answer has come. */
  readonly news: (news: FollowerNews) => void;
  /** What broke in the source: a defect of sluice. */
  readonly defect: (error: unknown) => void;
}

export interface FollowerNews {
  readonly members: 'changed' | 'same';
  /** Of the answer that came just now. */
  readonly failure: SourceFailure | null;
  /** The doubt before; the present one is in `view`. */
  readonly before: Doubt | null;
}

/** For pages and commands. */
export interface FollowerView {
  readonly doubt: Doubt | null;
  readonly held: readonly HeldMember[];
  readonly leftOut: readonly string[];
  readonly remarks: readonly string[];
  /** When an answer last counted; null: not since the start. */
  readonly goodMs: number | null;
  /** When the source is asked next; null: it is being asked. */
  readonly nextMs: number | null;
}

export class Follower {
  readonly #deps: FollowerDeps;
  readonly #witness: Witness;
  readonly #end = givingUp();
  #members: readonly Member[] = [];
  #failures = 0;
  #failedMs = Number.NEGATIVE_INFINITY;
  #nextMs: number | null = null;
  #next: Timer | null = null;
  #look: Timer | null = null;

  constructor({ rules }: Pick<DiscoverySpec, 'rules'>, deps: FollowerDeps) {
    this.#deps = deps;
    this.#witness = new Witness(rules, deps.proofOf);
  }

  /** The members that serve, in a fixed order. */
  get members(): readonly Member[] {
    return this.#members;
  }

  get view(): FollowerView {
    const { doubt, held, leftOut, remarks, goodMs } = this.#witness;
    return { doubt, held, leftOut, remarks, goodMs, nextMs: this.#nextMs };
  }

  /** Takes up what an earlier process knew; before `start`. */
  restore(members: readonly Member[]): void {
    this.#witness.restore(members);
    this.#members = this.#witness.standing(this.#deps.clock.nowMs());
  }

  /** Resolves after the first answer, whatever it is. */
  start(): Promise<void> {
    return this.#ask();
  }

  stop(): void {
    this.#end.abort();
    this.#next?.cancel();
    this.#look?.cancel();
  }

  /** Members that left because of their role, since the last call. */
  takeDemoted(): ReadonlySet<string> {
    return this.#witness.takeDemoted();
  }

  async #ask(): Promise<void> {
    const { source, clock, defect } = this.#deps;
    const askedMs = clock.nowMs();
    this.#nextMs = null;
    let answer: SourceAnswer;
    try {
      answer = await source.ask(this.#end.signal);
    } catch (error) {
      defect(error);
      answer = { kind: 'failed', failure: 'malformed', problem: 'sluice could not follow it' };
    }
    if (this.#end.signal.aborted) return;
    this.#hear(answer);
    const goneMs = clock.nowMs() - askedMs;
    const delayMs = Math.max(this.#delayMs(answer), MIN_GAP_MS - goneMs, 0);
    this.#nextMs = clock.nowMs() + delayMs;
    this.#next = this.#deps.timers.after(delayMs, () => void this.#ask());
  }

  #delayMs(answer: SourceAnswer): number {
    if (answer.kind !== 'failed') return answer.againMs;
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#failedMs > STEADY_MS) this.#failures = 0;
    this.#failedMs = nowMs;
    const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    if (waitMs < LAST_RETRY_MS) this.#failures++;
    return jittered(this.#deps.random, waitMs, RETRY_JITTER);
  }

  #hear(answer: SourceAnswer): void {
    const before = this.#witness.doubt;
    this.#witness.hear(answer, this.#deps.clock.nowMs());
    this.#tell(before, answer.kind === 'failed' ? answer.failure : null);
  }

  #tell(before: Doubt | null, failure: SourceFailure | null): void {
    const now = this.#witness.standing(this.#deps.clock.nowMs());
    const members = sameMembers(now, this.#members) ? 'same' : 'changed';
    this.#members = now;
    this.#look?.cancel();
    this.#look = null;
    if (this.#witness.isWaiting) {
      this.#look = this.#deps.timers.after(LOOK_MS, () => this.#tell(this.#witness.doubt, null));
    }
    this.#deps.news({ members, failure, before });
  }
}
