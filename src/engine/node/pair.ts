/**
 * One pair: a client's socket and, once dialled, a backend's. Handlers hold the object, not the
 * pair's number, so that a late callback can never reach the next pair of that number.
 */
import type { Socket } from 'node:net';
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint, Peer } from '../../core/endpoint.js';
import { ANSWER_BYTES, HELD_BYTES, type PairEnd } from '../../session/tcp_port.js';
import type { PairDial } from './dial.js';
import { Ending } from './ending.js';
import { limitSentence } from './failure.js';
import { Held } from './held.js';
import { watchFinished, whenTrulyEnded } from './hidden_reset.js';
import { PairDialling } from './pair_dialling.js';
import { endOf, linksOf, type PairHost, type PairState, type Side } from './pair_state.js';
import { descriptorOf, finish, type Link, resetLink } from './socket.js';
import { Transfer } from './transfer.js';

export class Pair {
  readonly id: PairId;
  readonly remote: Peer;
  readonly local: Endpoint;
  readonly #host: PairHost;
  readonly #client: Link;
  readonly #held = new Held();
  readonly #transfer: Transfer;
  readonly #dial: PairDialling;
  #state: PairState = { kind: 'waiting' };
  /** Reports what the backend says; null: it is not wanted. */
  #hear: ((chunk: Buffer) => void) | null = null;
  /** What has come already will be reported soon. */
  #isReportDue = false;
  /** Sockets whose 'close' has not come; those of dials that were given up count too. */
  #openSockets = 1;

  constructor(host: PairHost, id: PairId, socket: Socket, remote: Peer, local: Endpoint) {
    this.#host = host;
    this.id = id;
    this.#client = { socket, kind: remote.kind };
    this.#transfer = new Transfer(host, id);
    this.#dial = new PairDialling(
      {
        id,
        state: () => this.#state,
        become: (state) => {
          this.#state = state;
        },
        alone: (work) => this.#alone(work),
        socketOpened: () => {
          this.#openSockets++;
        },
        socketClosed: () => this.#socketClosed(),
        broke: (backend, error) => this.#broke('backend', error, backend, this.#client),
      },
      host,
    );
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

  dial(dial: PairDial): void {
    if (!this.#isOver()) this.#dial.begin(dial);
  }

  cancelDial(): void {
    if (!this.#isOver()) this.#dial.cancel();
  }

  ask(): void {
    if (!this.#isOver()) this.#dial.ask();
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
    if ('backend' in state) resetLink(state.backend);
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
