/**
 * One connection to the admin endpoint: reads a request, answers it, and reads on only when the
 * whole answer has been taken. Whatever else has come meanwhile waits in the kernel.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.js';
import { contain } from '../core/contain.js';
import type { KnownRequests } from './known_requests.js';
import type { Outgoing } from './outgoing.js';
import type { ParsedRequest, Request } from './request.js';
import type { Follow, Reader } from './stream.js';

/** An answer goes out in pieces of this size, so that a reader that takes some is noticed. */
const PIECE_BYTES = 65_536;
/** What a client still sends when it was answered for the last time is read and forgotten. */
const MAX_FORGOTTEN_BYTES = 1_048_576;
/** Of a body that comes in small ones: each costs more than its bytes. */
const MAX_PIECES = 64;
export const MAX_REQUESTS_PER_CONNECTION = 10_000;
/** What may wait for one that follows: beyond that it is too slow to go on. */
export const MAX_UNREAD_BYTES = 1_048_576;

export interface ConnectionEvents {
  /** The next request, or why it is none. Is answered by `send`, once. */
  asked(connection: HttpConnection, asked: Exclude<ParsedRequest, { kind: 'incomplete' }>): void;
  /** What came could not be dealt with. */
  broken(connection: HttpConnection, error: unknown): void;
  closed(connection: HttpConnection): void;
  /** It follows, and does not take what comes: it is to be cut. */
  slow(connection: HttpConnection): void;
}

export interface ConnectionOptions {
  /** Longer ones are refused; 0: none is read. */
  readonly maxBodyBytes: number;
  /**
   * Whether its end throws away what the other side has not read: TCP does where it meets bytes
   * that come late (RFC 9112, 9.6), a UNIX socket does not.
   */
  readonly ends: 'gently' | 'at-once';
}

export interface ConnectionDeps extends ConnectionOptions {
  readonly clock: Clock;
  readonly known: KnownRequests;
}

export type ConnectionPhase =
  /** No request is complete; `begun`: some bytes of one have come. */
  | { readonly at: 'reading'; readonly sinceMs: number; readonly begun: boolean }
  /** The answer is being made; `what`: an order changes something. */
  | { readonly at: 'making'; readonly what: 'look' | 'order' }
  /** Some of the answer is not taken yet; `movedMs`: when some was taken last. */
  | { readonly at: 'sending'; readonly sinceMs: number; readonly movedMs: number }
  /** It follows an answer without an end; `movedMs`: when it took something last, or was done. */
  | { readonly at: 'following'; readonly movedMs: number }
  /** All is said; the client is given a moment to read it before the connection closes. */
  | { readonly at: 'lingering'; readonly sinceMs: number };

export class HttpConnection {
  phase: ConnectionPhase;
  /** Bytes of the answer that are not taken yet. */
  unsentBytes = 0;
  readonly socket: Socket;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #known: KnownRequests;
  readonly #ends: ConnectionOptions['ends'];
  #input: Buffer = NOTHING;
  /** What has come behind it. */
  #more: Buffer[] = [];
  #moreBytes = 0;
  /** With fewer bytes the request is not complete. */
  #wantedBytes = 0;
  /** Whether the client may still send. */
  #client: 'open' | 'done' = 'open';
  #requests = 0;
  #forgotten = 0;
  /** The request was read to its end. */
  #isWhole = false;
  /** What is to be done when it goes. */
  #leave: () => void = () => {};

  constructor(socket: Socket, events: ConnectionEvents, { clock, known, ends }: ConnectionDeps) {
    this.socket = socket;
    this.#ends = ends;
    this.#known = known;
    this.#clock = clock;
    this.#events = events;
    this.phase = { at: 'reading', sinceMs: clock.nowMs(), begun: false };
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('end', () => this.#finished());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#leave();
      events.closed(this);
    });
  }

  /** At least one request has come. */
  get served(): boolean {
    return this.#requests > 0;
  }

  /** The last answer that this connection gets, if the request wants so or there were many. */
  isLast({ after }: Pick<Request, 'after'>): boolean {
    return after === 'close' || this.#requests >= MAX_REQUESTS_PER_CONNECTION;
  }

  /** Answers the request. `then`: what becomes of the connection. */
  send({ head, body, bytes }: Outgoing, then: 'keep' | 'close'): void {
    if (this.socket.destroyed) return;
    const nowMs = this.#clock.nowMs();
    this.phase = { at: 'sending', sinceMs: nowMs, movedMs: nowMs };
    this.unsentBytes = head.length + bytes;
    if (typeof body === 'string') {
      const encoding = body.length === bytes ? 'latin1' : 'utf8';
      return this.#write({ piece: head + body, encoding, rest: NOTHING, then });
    }
    const piece = Buffer.concat([Buffer.from(head, 'latin1'), body.subarray(0, PIECE_BYTES)]);
    this.#write({ piece, encoding: 'latin1', rest: body.subarray(PIECE_BYTES), then });
  }

  /** Answers what is no whole request, for the last time. */
  end(answer: Outgoing): void {
    this.#isWhole = false;
    this.send(answer, 'close');
    // What still comes waits in the kernel until the answer is taken.
    if (this.phase.at === 'sending') this.socket.pause();
  }

  /** Answers with what comes, until one of both goes. Nothing that the client sends is read. */
  follow(head: string, follow: Follow): void {
    if (this.socket.destroyed) return;
    this.phase = { at: 'following', movedMs: this.#clock.nowMs() };
    this.#input = NOTHING;
    this.#pass(Buffer.from(head, 'latin1'));
    this.#leave = follow(this.#reader());
    // Its end is to be seen.
    this.socket.resume();
    if (this.#client === 'done') this.socket.destroy();
  }

  cut(): void {
    this.unsentBytes = 0;
    this.socket.destroy();
  }

  #reader(): Reader {
    const isBehind = (): boolean => this.unsentBytes > 0;
    return {
      write: (piece) => this.#pass(piece),
      get isBehind() {
        return isBehind();
      },
    };
  }

  #pass(piece: Buffer): void {
    if (this.phase.at !== 'following' || this.socket.destroyed) return;
    if (this.unsentBytes + piece.length > MAX_UNREAD_BYTES) return this.#events.slow(this);
    if (this.unsentBytes === 0) this.phase = { at: 'following', movedMs: this.#clock.nowMs() };
    this.unsentBytes += piece.length;
    this.socket.write(piece, (error) => {
      if (error || this.phase.at !== 'following') return;
      this.unsentBytes -= piece.length;
      this.phase = { at: 'following', movedMs: this.#clock.nowMs() };
    });
  }

  #write({ piece, encoding, rest, then }: Piece): void {
    const { socket } = this;
    const isLast = then === 'close' && rest.length === 0;
    if (isLast && this.#endsAtOnce && this.#hasWritten(piece, encoding)) return this.cut();
    const bytes = typeof piece === 'string' ? this.unsentBytes : piece.length;
    const sent = (error?: Error | null): void => {
      if (error || this.phase.at !== 'sending') return;
      this.unsentBytes -= bytes;
      if (rest.length === 0) return this.#sent(then);
      const { sinceMs } = this.phase;
      this.phase = { at: 'sending', sinceMs, movedMs: this.#clock.nowMs() };
      const next = rest.subarray(0, PIECE_BYTES);
      this.#write({ piece: next, encoding, rest: rest.subarray(PIECE_BYTES), then });
    };
    if (!isLast) socket.write(piece, encoding, sent);
    else if (this.#endsAtOnce) socket.end(sent);
    // Bytes and end in one go: most clients want one answer.
    else socket.end(piece, encoding, sent);
  }

  /** Nothing more is wanted of the client, and it has sent nothing more. */
  get #endsAtOnce(): boolean {
    return this.#ends === 'at-once' && this.#input.length === 0 && this.#isWhole;
  }

  /** Whether all of it is in the kernel's hands by now. */
  #hasWritten(piece: string | Buffer, encoding: BufferEncoding): boolean {
    this.socket.write(piece, encoding);
    return this.socket.writableLength === 0;
  }

  #sent(then: 'keep' | 'close'): void {
    const nowMs = this.#clock.nowMs();
    if (then === 'close') {
      this.phase = { at: 'lingering', sinceMs: nowMs };
      this.#input = NOTHING;
      this.socket.resume();
      if (this.#client === 'done') this.socket.destroy();
      return;
    }
    this.phase = { at: 'reading', sinceMs: nowMs, begun: this.#input.length > 0 };
    this.#next();
  }

  #received(chunk: Buffer): void {
    if (this.phase.at === 'lingering' || this.phase.at === 'following') {
      this.#forgotten += chunk.length;
      if (this.#forgotten > MAX_FORGOTTEN_BYTES) this.socket.destroy();
      return;
    }
    this.#more.push(chunk);
    this.#moreBytes += chunk.length;
    // A body that comes byte by byte is put together once.
    const isWhole = this.#input.length + this.#moreBytes >= this.#wantedBytes;
    if (!isWhole && this.#more.length < MAX_PIECES) return;
    this.#gather();
    if (!isWhole) return;
    if (this.phase.at === 'reading') this.#next();
  }

  #gather(): void {
    if (this.#more.length === 0) return;
    const [only = NOTHING] = this.#more;
    const isOnly = this.#input.length === 0 && this.#more.length === 1;
    this.#input = isOnly ? only : Buffer.concat([this.#input, ...this.#more]);
    this.#more = [];
    this.#moreBytes = 0;
  }

  #finished(): void {
    this.#client = 'done';
    // One that follows has nothing more to ask, and goes.
    const { at } = this.phase;
    if (at === 'reading' || at === 'lingering' || at === 'following') this.socket.destroy();
  }

  #next(): void {
    contain(
      () => this.#take(),
      (error) => this.#events.broken(this, error),
    );
  }

  /** Takes the next request out of what has come. */
  #take(): void {
    if (this.phase.at !== 'reading') return;
    const parsed = this.#known.parse(this.#input);
    this.#wantedBytes = parsed.kind === 'incomplete' ? parsed.bytes : 0;
    if (parsed.kind === 'incomplete') {
      if (this.#client === 'done') this.socket.destroy();
      const begun = this.#input.length > 0;
      // The time for a request begins with its first byte.
      const sinceMs = begun && !this.phase.begun ? this.#clock.nowMs() : this.phase.sinceMs;
      this.phase = { at: 'reading', sinceMs, begun };
      this.socket.resume();
      return;
    }
    this.#requests++;
    this.phase = { at: 'making', what: isOrder(parsed) ? 'order' : 'look' };
    this.#isWhole = parsed.kind === 'request' && parsed.request.body !== null;
    if (parsed.kind === 'request') this.#input = this.#behind(parsed.bytes);
    this.#events.asked(this, parsed);
    const { at } = this.phase;
    // What was answered within the call needs no pause.
    if ((at === 'making' || at === 'sending') && !this.socket.destroyed) this.socket.pause();
  }

  #behind(bytes: number): Buffer {
    return bytes === this.#input.length ? NOTHING : this.#input.subarray(bytes);
  }
}

function isOrder(parsed: ParsedRequest): boolean {
  return parsed.kind === 'request' && !['GET', 'HEAD'].includes(parsed.request.method);
}

const NOTHING = Buffer.alloc(0);

interface Piece {
  readonly piece: string | Buffer;
  /** Of a piece that is text. */
  readonly encoding: BufferEncoding;
  /** What comes behind it. */
  readonly rest: Buffer;
  readonly then: 'keep' | 'close';
}
