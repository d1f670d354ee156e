/**
 * One pair: a client's socket and, once dialled, a backend's. Handlers hold the object, not the
 * pair's number, so that a late callback can never reach whoever has the number next.
 */
import type { Socket } from 'node:net';
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import { ANSWER_BYTES, HELD_BYTES, type PairEnd } from '../../session/tcp_port.js';
import { connectTo } from './dial.js';
import { Ending } from './ending.js';
import { dialFailure, limitSentence } from './failure.js';
import { firstAnswer } from './first_answer.js';
import { Held } from './held.js';
import { watchFinished, whenTrulyEnded } from './hidden_reset.js';
import {
  type BackendLink,
  endOf,
  linksOf,
  type PairHost,
  type PairState,
  type Side,
} from './pair_state.js';
import { descriptorOf, finish, isToItself, type Link, reset } from './socket.js';
import { Transfer } from './transfer.js';

export class Pair {
  readonly id: PairId;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #host: PairHost;
  readonly #client: Link;
  readonly #held = new Held();
  readonly #transfer: Transfer;
  #state: PairState = { kind: 'waiting' };
  /** Reports what the backend says; null: nobody wants to hear it. */
  #hear: ((chunk: Buffer) => void) | null = null;
  /** What has come already will be reported soon. */
  #isReportDue = false;
  /** Sockets whose 'close' has not come; those of dials that were given up count too. */
  #openSockets = 1;

  constructor(host: PairHost, id: PairId, socket: Socket, remote: Endpoint, local: Endpoint) {
    this.#host = host;
    this.id = id;
    this.#client = { socket, kind: remote.kind };
    this.#transfer = new Transfer(host, id);
    this.remote = remote;
    this.local = local;
    socket.on('data', (chunk: Buffer) => this.#read('client', chunk));
    socket.on('end', () => this.#alone(() => this.#clientEnded()));
    socket.on('error', (error) => this.#alone(() => this.#clientBroke(error)));
    socket.on('close', () => this.#socketClosed());
    socket.resume();
  }

  readEarly(limitBytes: number): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'waiting', 'a reading begins when no other and no dial runs');
    assert(limitBytes > 0 && limitBytes <= HELD_BYTES, 'no more is reported than is held');
    this.#state = { kind: 'early', limitBytes };
    const { readableEnded } = this.#client.socket;
    if ((this.#held.bytes > 0 || readableEnded) && !this.#isReportDue) {
      this.#isReportDue = true;
      queueMicrotask(() => this.#alone(() => this.#reportHeld()));
    }
    if (this.#held.bytes < limitBytes) this.#transfer.resume(this.#client);
  }

  earlyDone(consumed: number): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'early', 'earlyDone answers readEarly');
    assert(consumed <= this.#held.bytes, 'no more is consumed than was reported');
    this.#state = { kind: 'waiting' };
    this.#held.drop(consumed);
    if (this.#held.bytes < HELD_BYTES) this.#transfer.resume(this.#client);
  }

  /** null: there is none (any more). */
  descriptorOf(side: Side): number | null {
    const link = linksOf(this.#client, this.#state)[side === 'client' ? 0 : 1];
    return link === undefined ? null : descriptorOf(link.socket);
  }

  answer(bytes: Uint8Array): void {
    assert(bytes.length <= ANSWER_BYTES, 'an answer fits into an empty buffer');
    if (!this.#isOver()) this.#client.socket.write(bytes);
  }

  dial(target: Endpoint, source: IpEndpoint | null, prelude: Uint8Array | null): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'waiting', 'a pair dials when no reading and no dial runs');
    connectTo({ target, source, prelude }, this.#host, {
      id: this.id,
      begun: (backend) => {
        this.#state = { kind: 'dialling', backend };
        this.#openSockets++;
      },
      dials: (backend) => this.#dials(backend),
      alone: (work) => this.#alone(work),
      connected: (backend) => this.#connected(backend),
      broke: (backend, error) => this.#backendBroke(backend, error),
      closed: () => this.#socketClosed(),
    });
  }

  cancelDial(): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'dialling', 'only a dial under way can be given up');
    const { backend } = this.#state;
    this.#state = { kind: 'waiting' };
    backend.socket.destroy();
  }

  /** What is said beforehand was written when it connected. */
  ask(): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'dialled', 'a backend is asked when the pair is dialled');
    const { socket } = this.#state.backend;
    const isAwaited = (): boolean => this.#state.kind === 'dialled';
    firstAnswer(socket, isAwaited, (byte) => {
      this.#alone(() => this.#host.edges.asked(this.id, byte));
    });
  }

  overhear(): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'dialled', 'a backend is overheard from its first byte on');
    this.#hear = (chunk) => {
      if (this.#state.kind !== 'relaying') return;
      this.#alone(() => this.#host.edges.heard(this.id, chunk));
    };
  }

  overhearDone(): void {
    if (this.#hear === null || this.#state.kind !== 'relaying') return;
    this.#state.backend.socket.off('data', this.#hear);
    this.#hear = null;
  }

  relay(): void {
    if (this.#isOver()) return;
    assert(this.#state.kind === 'dialled', 'a relay begins when the pair is dialled');
    const { backend } = this.#state;
    const client = this.#client;
    this.#state = { kind: 'relaying', backend, first: null };
    this.#transfer.count('client', this.#held.bytes);
    for (const chunk of this.#held.take()) backend.socket.write(chunk);
    client.socket.on('drain', () => this.#alone(() => this.#drained(backend)));
    backend.socket.on('drain', () => this.#alone(() => this.#drained(client)));
    backend.socket.once('data', () => {
      if (this.#state.kind === 'relaying') this.#host.edges.firstByte(this.id);
    });
    if (this.#hear !== null) backend.socket.on('data', this.#hear);
    backend.socket.on('data', (chunk: Buffer) => this.#read('backend', chunk));
    backend.socket.on('end', () => this.#alone(() => this.#ended('backend', backend, client)));
    if (client.socket.readableEnded) this.#ended('client', client, backend);
    else this.#transfer.resume(client);
    if (backend.socket.readableEnded) this.#ended('backend', backend, client);
    // One that was asked was stopped behind its answer.
    else if (backend.socket.isPaused()) this.#transfer.resume(backend);
  }

  close(how: 'flush' | 'reset'): void {
    const state = this.#state;
    if (state.kind === 'ending') {
      if (how === 'reset') state.ending.cut();
      return;
    }
    const ending = this.#end({ kind: 'closed' });
    if (how === 'reset') ending.cut();
    else {
      if (state.kind === 'relaying') {
        this.#transfer.handOnRest('client', this.#client, state.backend);
        this.#transfer.handOnRest('backend', state.backend, this.#client);
      }
      ending.flush();
    }
  }

  #fromClient(chunk: Buffer): void {
    const state = this.#state;
    if (state.kind === 'ending') return;
    if (state.kind === 'relaying') {
      return this.#transfer.move('client', chunk, this.#client, state.backend);
    }
    this.#hold(chunk, state.kind === 'early' ? state.limitBytes : HELD_BYTES);
    this.#report();
  }

  #hold(chunk: Buffer, enoughBytes: number): void {
    this.#held.push(chunk);
    if (this.#held.bytes >= enoughBytes) this.#transfer.pause(this.#client);
  }

  #report(): void {
    if (this.#state.kind !== 'early' || this.#held.bytes === 0) return;
    const { limitBytes } = this.#state;
    this.#host.edges.earlyBytes(this.id, this.#held.joined().subarray(0, limitBytes));
  }

  /** What came before it was read is reported as if it came now; what is cut stays so. */
  #reportHeld(): void {
    this.#isReportDue = false;
    this.#report();
    if (this.#client.socket.readableEnded && this.#isCut()) this.#clientGone();
  }

  /** True when everything before a FIN was reported, and more is wanted. */
  #isCut(): boolean {
    return this.#state.kind === 'early' && !this.#isReportDue;
  }

  #clientEnded(): void {
    const state = this.#state;
    if (state.kind === 'relaying') this.#ended('client', this.#client, state.backend);
    else if (this.#isCut()) this.#clientGone();
    else {
      const waits = (): boolean => this.#state.kind !== 'relaying' && !this.#isOver();
      watchFinished(this.#client, this.#host, { waits, alone: (work) => this.#alone(work) });
    }
  }

  #clientBroke(error: Error): void {
    const state = this.#state;
    if (state.kind === 'relaying') this.#broke('client', error, this.#client, state.backend);
    else this.#clientGone();
  }

  #clientGone(): void {
    const state = this.#state;
    if (state.kind === 'ending') return;
    this.#end({ kind: 'client-gone' });
    this.#client.socket.destroy();
    if ('backend' in state) reset(state.backend);
  }

  #dials(backend: BackendLink): boolean {
    const state = this.#state;
    return state.kind === 'dialling' && state.backend === backend;
  }

  #connected(backend: BackendLink): void {
    if (!this.#dials(backend)) return;
    if (isToItself(backend, this.#host)) {
      this.#state = { kind: 'waiting' };
      reset(backend);
      return this.#host.edges.dialFailed(this.id, 'refused');
    }
    this.#state = { kind: 'dialled', backend };
    this.#host.descriptorTaken();
    // One segment for the prelude and the client's first bytes, if relay is called at once.
    backend.socket.cork();
    if (backend.prelude !== null) backend.socket.write(backend.prelude);
    this.#host.edges.dialled(this.id);
    backend.socket.uncork();
  }

  #backendBroke(backend: BackendLink, error: Error): void {
    const state = this.#state;
    // The dial was given up, or the pair is ending: nobody waits for this socket any more.
    if (!('backend' in state) || state.backend !== backend) return;
    if (state.kind !== 'dialling') this.#broke('backend', error, backend, this.#client);
    else {
      this.#state = { kind: 'waiting' };
      const failure = dialFailure(error);
      if (failure === 'no-descriptor') this.#host.descriptorMissing();
      this.#host.edges.dialFailed(this.id, failure);
    }
  }

  /** As `alone`, without an object for each chunk. */
  #read(side: Side, chunk: Buffer): void {
    try {
      if (side === 'client') this.#fromClient(chunk);
      else if (this.#state.kind === 'relaying') {
        this.#transfer.move('backend', chunk, this.#state.backend, this.#client);
      }
    } catch (error) {
      this.#host.edges.broken(this.id, error);
    }
  }

  /** Whatever breaks in a callback of this pair ends this pair. */
  #alone(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#host.edges.broken(this.id, error);
    }
  }

  #drained(from: Link): void {
    if (this.#state.kind !== 'relaying') return;
    this.#transfer.stamp();
    this.#transfer.resume(from);
  }

  #ended(side: Side, from: Link, to: Link): void {
    whenTrulyEnded(from, this.#host.kernel, () => {
      if (this.#state.kind !== 'relaying') return;
      if (this.#state.first === null) this.#state = { ...this.#state, first: side };
      else this.#host.edges.parting(this.id);
      finish(to.socket);
    });
  }

  /** One side's connection broke: hand on what was read from it, then reset the other. */
  #broke(by: Side, error: Error, from: Link, to: Link): void {
    this.#host.standstill.broke(from);
    this.#host.standstill.broke(to);
    const sentence = limitSentence(error);
    const ending = this.#end(
      sentence === null ? { kind: 'reset', by } : { kind: 'limit', sentence },
    );
    this.#transfer.handOnRest(by, from, to);
    ending.passReset(to);
  }

  #isOver(): boolean {
    return this.#state.kind === 'ending';
  }

  #end(end: PairEnd): Ending {
    const { kind } = this.#state;
    if (kind === 'dialled' || kind === 'relaying') this.#host.edges.parting(this.id);
    const links = linksOf(this.#client, this.#state);
    for (const link of links) this.#host.standstill.end(link);
    const ending = new Ending(this.#host, end, links);
    this.#state = { kind: 'ending', ending };
    return ending;
  }

  #socketClosed(): void {
    if (--this.#openSockets > 0) return;
    if (this.#state.kind === 'ending') this.#state.ending.over();
    this.#host.release(this.id, endOf(this.#state));
  }
}
