/** The way of a pair to its backend: the dial, and what the backend is asked before the relay. */
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import { connectTo, type PairDial } from './dial.js';
import { dialFailure } from './failure.js';
import { firstAnswer } from './first_answer.js';
import type { BackendLink, PairHost, PairState } from './pair_state.js';
import { isToItself, resetLink } from './socket.js';

/** The pair, as its dial sees it. */
export interface DiallingPair {
  readonly id: PairId;
  state(): PairState;
  become(state: PairState): void;
  /** Whatever breaks in `work` ends the pair. */
  alone(work: () => void): void;
  socketOpened(): void;
  socketClosed(): void;
  /** The connection of a backend that was reached. */
  broke(backend: BackendLink, error: Error): void;
}

export class PairDialling {
  readonly #pair: DiallingPair;
  readonly #host: PairHost;

  constructor(pair: DiallingPair, host: PairHost) {
    this.#pair = pair;
    this.#host = host;
  }

  begin(dial: PairDial): void {
    const pair = this.#pair;
    assert(pair.state().kind === 'waiting', 'a pair dials when no reading and no dial runs');
    connectTo(dial, this.#host, {
      id: pair.id,
      begun: (backend) => {
        pair.become({ kind: 'dialling', backend });
        pair.socketOpened();
      },
      dials: (backend) => this.#dials(backend),
      alone: (work) => pair.alone(work),
      connected: (backend) => this.#connected(backend),
      broke: (backend, error) => this.#broke(backend, error),
      closed: () => pair.socketClosed(),
    });
  }

  cancel(): void {
    const state = this.#pair.state();
    assert(state.kind === 'dialling', 'only a dial under way can be given up');
    this.#pair.become({ kind: 'waiting' });
    state.backend.socket.destroy();
  }

  /** What is said beforehand was written when it connected. */
  ask(): void {
    const pair = this.#pair;
    const state = pair.state();
    assert(state.kind === 'dialled', 'a backend is asked when the pair is dialled');
    const isAwaited = (): boolean => pair.state().kind === 'dialled';
    firstAnswer(state.backend.socket, isAwaited, (byte) => {
      pair.alone(() => this.#host.edges.asked(pair.id, byte));
    });
  }

  #dials(backend: BackendLink): boolean {
    const state = this.#pair.state();
    return state.kind === 'dialling' && state.backend === backend;
  }

  #connected(backend: BackendLink): void {
    if (!this.#dials(backend)) return;
    const { id } = this.#pair;
    if (isToItself(backend, this.#host)) {
      this.#pair.become({ kind: 'waiting' });
      resetLink(backend);
      return this.#host.edges.dialFailed(id, 'refused');
    }
    this.#pair.become({ kind: 'dialled', backend });
    this.#host.descriptorTaken();
    // One segment for the prelude and the client's first bytes, if relay is called at once.
    backend.socket.cork();
    if (backend.prelude !== null) backend.socket.write(backend.prelude);
    this.#host.edges.dialled(id);
    backend.socket.uncork();
  }

  #broke(backend: BackendLink, error: Error): void {
    const state = this.#pair.state();
    // The dial was given up, or the pair is ending: this socket is not waited for any more.
    if (!('backend' in state) || state.backend !== backend) return;
    if (state.kind !== 'dialling') return this.#pair.broke(backend, error);
    this.#pair.become({ kind: 'waiting' });
    const failure = dialFailure(error);
    if (failure === 'no-descriptor') this.#host.descriptorMissing();
    this.#host.edges.dialFailed(this.#pair.id, failure);
  }
}
