/**
 * One pair: a client's socket and, once dialled, a backend's. Handlers hold the object, not the
 * pair's number, so that a late callback can never reach whoever has the number next.
 */
import type { Socket } from 'node:net';
import { assert, unreachable } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Clock, Timer, Timers } from '../../core/clock.js';
import type { Endpoint } from '../../core/endpoint.js';
import { MAX_PROXY_HEADER_BYTES } from '../../core/limits.js';
import { HELD_BYTES, LINGER_MS, type PairEnd, type TcpEdges } from '../../session/tcp_port.js';
import { dialFailure, limitSentence } from './failure.js';
import { Held } from './held.js';
import { dialSocket, finish, reset, whenFlushed } from './socket.js';

/** What a pair needs of the engine that it belongs to. */
export interface PairHost {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly edges: TcpEdges;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  /** A socket was opened: the last descriptor may be gone. */
  descriptorTaken(): void;
  /** All sockets of the pair are closed: report `closed`, then free its number. */
  release(pair: Pair, end: PairEnd): void;
}

type Side = 'client' | 'backend';

interface BackendSocket {
  readonly socket: Socket;
  readonly kind: Endpoint['kind'];
  readonly prelude: Uint8Array | null;
}

type State =
  /** The client's bytes are reported until the session knows where its header ends. */
  | { readonly kind: 'header' }
  /** The client's bytes are held; nothing is dialled. */
  | { readonly kind: 'waiting' }
  /** The client's bytes are held; `backend` is connecting. */
  | { readonly kind: 'dialling'; readonly backend: BackendSocket }
  /** The client's bytes are held; `backend` is connected and its bytes are not looked at. */
  | { readonly kind: 'dialled'; readonly backend: BackendSocket }
  /** Bytes flow. `first` is the side whose FIN came first. */
  | { readonly kind: 'relaying'; readonly backend: BackendSocket; readonly first: Side | null }
  /** No edge but `closed` will come; what is still read is dropped. */
  | { readonly kind: 'ending'; readonly backend: BackendSocket | null; readonly end: PairEnd };

export class Pair {
  readonly id: PairId;
  readonly clientEndpoint: Endpoint;
  readonly localEndpoint: Endpoint;
  readonly #host: PairHost;
  readonly #client: Socket;
  readonly #held = new Held();
  #state: State = { kind: 'waiting' };
  /** Sockets whose 'close' has not come; those of dials that were given up count too. */
  #openSockets = 1;
  #linger: Timer | null = null;

  constructor(host: PairHost, id: PairId, client: Socket, remote: Endpoint, local: Endpoint) {
    this.#host = host;
    this.id = id;
    this.#client = client;
    this.clientEndpoint = remote;
    this.localEndpoint = local;
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('end', () => this.#clientEnded());
    client.on('error', (error) => this.#clientBroke(error));
    client.on('close', () => this.#socketClosed());
    client.resume();
  }

  readHeader(): void {
    assert(this.#state.kind === 'waiting', 'a header is read before the pair is dialled');
    this.#state = { kind: 'header' };
    if (this.#held.bytes > 0) queueMicrotask(() => this.#reportHeader());
  }

  headerDone(consumed: number): void {
    assert(this.#state.kind === 'header', 'headerDone answers readHeader');
    assert(consumed <= this.#held.bytes, 'a header is no longer than what was reported');
    this.#state = { kind: 'waiting' };
    this.#held.drop(consumed);
    if (this.#client.readableEnded) this.#clientEnded();
    else if (this.#held.bytes < HELD_BYTES) this.#client.resume();
  }

  dial(target: Endpoint, prelude: Uint8Array | null): void {
    assert(this.#state.kind === 'waiting', 'a pair dials when its header is read and no dial runs');
    const socket = dialSocket(target);
    const backend: BackendSocket = { socket, kind: target.kind, prelude };
    this.#state = { kind: 'dialling', backend };
    this.#openSockets++;
    socket.on('connect', () => this.#connected(backend));
    socket.on('error', (error) => this.#backendBroke(backend, error));
    socket.on('close', () => this.#socketClosed());
  }

  cancelDial(): void {
    assert(this.#state.kind === 'dialling', 'only a dial under way can be given up');
    const { backend } = this.#state;
    this.#state = { kind: 'waiting' };
    backend.socket.destroy();
  }

  relay(): void {
    assert(this.#state.kind === 'dialled', 'a relay begins when the pair is dialled');
    const { backend } = this.#state;
    const { socket } = backend;
    const client = this.#client;
    this.#state = { kind: 'relaying', backend, first: null };
    this.#handOnHeld(socket);
    client.on('drain', () => this.#drained(socket));
    socket.on('drain', () => this.#drained(client));
    socket.once('data', () => this.#firstByte());
    socket.on('data', (chunk: Buffer) => this.#fromBackend(chunk));
    socket.on('end', () => this.#ended('backend', client));
    if (client.readableEnded) this.#ended('client', socket);
    else client.resume();
    if (socket.readableEnded) this.#ended('backend', client);
  }

  close(how: 'flush' | 'reset'): void {
    const state = this.#state;
    if (state.kind !== 'ending') {
      this.#end({ kind: 'closed' });
      if (how === 'flush') this.#flush(state);
      else this.#cut();
    } else if (how === 'reset') this.#cut();
  }

  // ── the client's socket ────────────────────────────────────────────────────────────────────

  #fromClient(chunk: Buffer): void {
    const state = this.#state;
    switch (state.kind) {
      case 'relaying':
        this.#count(this.#host.bytesIn, chunk.length);
        this.#handOn(chunk, this.#client, state.backend.socket);
        return;
      case 'header':
        this.#held.push(chunk);
        if (this.#held.bytes >= MAX_PROXY_HEADER_BYTES) this.#client.pause();
        this.#reportHeader();
        return;
      case 'waiting':
      case 'dialling':
      case 'dialled':
        this.#held.push(chunk);
        if (this.#held.bytes >= HELD_BYTES) this.#client.pause();
        return;
      case 'ending':
        return;
      default:
        unreachable(state);
    }
  }

  #clientEnded(): void {
    const state = this.#state;
    if (state.kind === 'relaying') this.#ended('client', state.backend.socket);
    // A client that sent something and then FIN waits for an answer; one that sent nothing left.
    else if (state.kind === 'header' || this.#held.bytes === 0) this.#clientGone();
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
    this.#client.destroy();
    if ('backend' in state) reset(state.backend.socket, state.backend.kind);
  }

  #reportHeader(): void {
    if (this.#state.kind !== 'header') return;
    this.#host.edges.headerBytes(this.id, this.#held.joined().subarray(0, MAX_PROXY_HEADER_BYTES));
  }

  // ── the backend's socket ───────────────────────────────────────────────────────────────────

  #connected(backend: BackendSocket): void {
    const state = this.#state;
    if (state.kind !== 'dialling' || state.backend !== backend) return;
    this.#state = { kind: 'dialled', backend };
    this.#host.descriptorTaken();
    // One segment for the prelude and the client's first bytes, if relay is called at once.
    backend.socket.cork();
    if (backend.prelude !== null) backend.socket.write(backend.prelude);
    this.#host.edges.dialled(this.id);
    backend.socket.uncork();
  }

  #backendBroke(backend: BackendSocket, error: Error): void {
    const state = this.#state;
    // A socket of a dial that was given up: nobody waits for it any more.
    if (!('backend' in state) || state.backend !== backend) return;
    if (state.kind === 'dialling') {
      this.#state = { kind: 'waiting' };
      const failure = dialFailure(error);
      if (failure === 'no-descriptor') this.#host.descriptorTaken();
      this.#host.edges.dialFailed(this.id, failure);
    } else if (state.kind !== 'ending') {
      this.#broke('backend', error, backend.socket, {
        socket: this.#client,
        kind: this.clientEndpoint.kind,
      });
    }
  }

  #firstByte(): void {
    if (this.#state.kind === 'relaying') this.#host.edges.firstByte(this.id);
  }

  #fromBackend(chunk: Buffer): void {
    const state = this.#state;
    if (state.kind !== 'relaying') return;
    this.#count(this.#host.bytesOut, chunk.length);
    this.#handOn(chunk, state.backend.socket, this.#client);
  }

  // ── both ───────────────────────────────────────────────────────────────────────────────────

  #count(counter: Float64Array, bytes: number): void {
    counter[this.id] = (counter[this.id] ?? 0) + bytes;
    this.#stamp();
  }

  #handOn(chunk: Buffer, from: Socket, to: Socket): void {
    // `write` says false for a large chunk even when the kernel has taken all of it.
    if (!to.write(chunk) && to.writableLength > 0) from.pause();
  }

  #drained(from: Socket): void {
    if (this.#state.kind !== 'relaying') return;
    this.#stamp();
    from.resume();
  }

  #handOnHeld(to: Socket): void {
    this.#count(this.#host.bytesIn, this.#held.bytes);
    for (const chunk of this.#held.take()) to.write(chunk);
  }

  #stamp(): void {
    this.#host.lastActivityMs[this.id] = this.#host.clock.nowMs();
  }

  #ended(side: Side, to: Socket): void {
    const state = this.#state;
    if (state.kind !== 'relaying') return;
    this.#state = { ...state, first: state.first ?? side };
    finish(to);
  }

  /** One side's connection broke: hand on what was read from it, then reset the other. */
  #broke(
    by: Side,
    error: Error,
    from: Socket,
    other: { readonly socket: Socket; readonly kind: Endpoint['kind'] },
  ): void {
    const sentence = limitSentence(error);
    this.#end(sentence === null ? { kind: 'reset', by } : { kind: 'limit', sentence });
    this.#handOnRest(by, from, other.socket);
    this.#lingerUntilClosed();
    whenFlushed(other.socket, () => reset(other.socket, other.kind));
  }

  #flush(state: State): void {
    const client = this.#client;
    const backend = 'backend' in state ? state.backend : null;
    if (backend !== null) {
      if (state.kind === 'dialling') backend.socket.destroy();
      else {
        this.#handOnRest('client', client, backend.socket);
        this.#handOnRest('backend', backend.socket, client);
        finish(backend.socket);
        backend.socket.resume();
      }
    }
    finish(client);
    client.resume();
    this.#lingerUntilClosed();
  }

  /** What a paused stream had read already. */
  #handOnRest(side: Side, from: Socket, to: Socket): void {
    if (from.readableLength === 0 || to.writableEnded) return;
    const rest: unknown = from.read();
    if (!(rest instanceof Uint8Array)) return;
    this.#count(side === 'client' ? this.#host.bytesIn : this.#host.bytesOut, rest.length);
    to.write(rest);
  }

  #lingerUntilClosed(): void {
    this.#linger = this.#host.timers.after(LINGER_MS, () => this.#cut());
  }

  /** Resets whatever is still open. */
  #cut(): void {
    const state = this.#state;
    reset(this.#client, this.clientEndpoint.kind);
    if ('backend' in state && state.backend) reset(state.backend.socket, state.backend.kind);
  }

  #end(end: PairEnd): void {
    const state = this.#state;
    this.#state = { kind: 'ending', backend: 'backend' in state ? state.backend : null, end };
  }

  #socketClosed(): void {
    this.#openSockets--;
    if (this.#openSockets > 0) return;
    this.#linger?.cancel();
    const state = this.#state;
    if (state.kind === 'ending') this.#host.release(this, state.end);
    else {
      assert(state.kind === 'relaying' && state.first !== null, 'a pair ends by FIN in both ways');
      this.#host.release(this, { kind: 'finished', first: state.first });
    }
  }
}
