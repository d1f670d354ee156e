/**
 * Descriptors that a thread with an event loop of Node.js waits for, by a ring of its own: one
 * entry for all that is asked in a turn, and one wake-up for all that is answered by then.
 */
import { contain } from '../core/contain.js';
import { err, ok, type Result } from '../core/result.js';
import type { Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type LoopBell, openLoopBell } from './loop_bell.js';
import { mapMemory, releaseMemory } from './memory.js';
import { Ring } from './ring.js';
import { submitCancel, submitPoll } from './submissions.js';
import { CQE_WORDS, REGISTER_EVENTFD } from './uring_abi.js';

/** Submissions of one turn; more of them cost another entry. */
const ENTRIES = 256;
const COMPLETIONS = 1024;
/** As Loop of engine/uring has it: a cancel may come between two attempts of an operation. */
const CANCEL_TRIES = 4;
/** In place of a number: the completion of a cancel, which no looker waits for. */
const CANCELLED = -1;

/**
 * Called when it may look: what it waited for is there, or it is its turn. What it throws ends
 * nothing but this look.
 */
export interface Looker {
  look(): void;
}

export class Readiness {
  readonly #ring: Ring;
  /** Gets what a looker threw: the others of its turn look all the same. */
  readonly #defect: (error: unknown) => void;
  #bell: LoopBell | null = null;
  #head: number;
  /** By number; null: not waited for any more, or free. */
  readonly #lookers: (Looker | null)[] = [];
  readonly #inFlight: boolean[] = [];
  readonly #free: number[] = [];
  /** Numbers that have been answered; each is free when its looker was called. */
  #answered: number[] = [];
  #soon: Looker[] = [];
  #immediate: NodeJS.Immediate | null = null;
  readonly #turn = (): void => this.#takeTurn();

  private constructor(ring: Ring, defect: (error: unknown) => void) {
    this.#ring = ring;
    this.#defect = defect;
    this.#head = ring.completionTail();
  }

  /** Fails where io_uring is not allowed. */
  static open(kernel: Kernel, defect: (error: unknown) => void): Result<Readiness, KernelError> {
    const ring = Ring.open(kernel, ENTRIES, COMPLETIONS);
    if (!ring.ok) return ring;
    const readiness = new Readiness(ring.value, defect);
    const bell = openLoopBell(kernel, readiness.#turn);
    const rings = bell.ok ? ringsFor(kernel, ring.value, bell.value.fd) : bell;
    if (bell.ok) readiness.#bell = bell.value;
    if (rings.ok) return ok(readiness);
    readiness.close();
    return rings;
  }

  /** Lets `looker` look when one of `events` is there at `fd`; the number is for `forget`. */
  watch(fd: Descriptor, events: number, looker: Looker): number {
    const number = this.#free.pop() ?? this.#lookers.length;
    this.#lookers[number] = looker;
    this.#inFlight[number] = true;
    submitPoll(this.#ring, fd, events, number, 0);
    this.#wantTurn();
    return number;
  }

  /** What has that number is not waited for any more, and its descriptor may be closed. */
  forget(number: number): void {
    this.#lookers[number] = null;
    for (let tries = 0; this.#inFlight[number] && tries < CANCEL_TRIES; tries++) {
      submitCancel(this.#ring, number, 0, CANCELLED, 0);
      this.#ring.enter(0);
      this.#collect();
    }
    if (this.#answered.length > 0) this.#wantTurn();
  }

  /** Lets `looker` look at the end of this turn of the event loop. */
  soon(looker: Looker): void {
    this.#soon.push(looker);
    this.#wantTurn();
  }

  close(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#bell?.close();
    this.#ring.close();
  }

  #wantTurn(): void {
    this.#immediate ??= setImmediate(this.#turn);
  }

  #takeTurn(): void {
    const soon = this.#soon;
    this.#soon = [];
    for (const looker of soon) this.#look(looker);
    this.#ring.enter(0);
    this.#collect();
    const answered = this.#answered;
    this.#answered = [];
    for (const number of answered) {
      const looker = this.#lookers[number] ?? null;
      this.#lookers[number] = null;
      this.#free.push(number);
      if (looker !== null) this.#look(looker);
    }
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    if (this.#ring.queued > 0 || this.#soon.length > 0) this.#wantTurn();
  }

  #look(looker: Looker): void {
    contain(() => looker.look(), this.#defect);
  }

  #collect(): void {
    const { completions, completionMask } = this.#ring;
    const tail = this.#ring.completionTail();
    for (; this.#head !== tail; this.#head = (this.#head + 1) | 0) {
      const number = completions[(this.#head & completionMask) * CQE_WORDS] ?? CANCELLED;
      if (number === CANCELLED) continue;
      this.#inFlight[number] = false;
      this.#answered.push(number);
    }
    this.#ring.completionsRead(this.#head);
  }
}

/** Each completion that comes outside of an entry rings `bell` (io_uring_register(2)). */
function ringsFor(kernel: Kernel, ring: Ring, bell: Descriptor): Result<null, KernelError> {
  const argument = mapMemory(kernel, Int32Array.BYTES_PER_ELEMENT);
  if (!argument.ok) return argument;
  new Int32Array(argument.value.buffer, 0, 1)[0] = bell;
  const answer = ring.register(REGISTER_EVENTFD, argument.value.address, 1);
  releaseMemory(kernel, argument.value);
  return answer < 0 ? err(kernelError('io_uring_register', answer)) : ok(null);
}
