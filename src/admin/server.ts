/**
 * A small HTTP server, on a port or a UNIX socket, for whatever answers requests. It is bounded in
 * everything, because what watches and operates the daemon must not be able to harm it (ADR 12).
 */
import type { AddressInfo, Socket } from 'node:net';
import type { Clock, Timer, Timers } from '../core/clock.js';
import { err, ok, type Result } from '../core/result.js';
import { countBusy, inTheWay, SILENT_MS } from './admission.js';
import {
  type ConnectionDeps,
  type ConnectionEvents,
  type ConnectionOptions,
  HttpConnection,
} from './connection.js';
import { type AdminListenFailure, Door, type ListenPlace, type SocketDescriptors } from './door.js';
import { makeRoom } from './in_flight.js';
import { KnownRequests } from './known_requests.js';
import { type Content, contentOf, type Outgoing, outgoing } from './outgoing.js';
import { isIdle, isOverdue, REQUEST_TIMEOUT_MS } from './overdue.js';
import type { ParsedRequest, Request } from './request.js';
import type { AdminAnswer } from './routes.js';

/**
 * Monitoring, dashboards, a person and a script that does much at once. Further ones wait in the
 * kernel until one of these has ended.
 */
export const MAX_ADMIN_CONNECTIONS = 128;
/** What takes its time (orders, and those that follow what happens) leaves room for looks. */
const BUSY_SHARE = 3 / 4;
/** Those that follow leave room for orders. */
const FOLLOWING_SHARE = 7 / 16;
const LOOK_MS = 500;
/** While clients wait, this often some make way for them … */
const CROWDED_MS = 100;
/** … until this share of the places is free. */
const FREED_SHARE = 1 / 2;
/** For the last answers of a process whose place another one has taken. */
const LEAVE_MS = 1_000;

export interface HttpServer {
  /** Where it listens: as it really is. */
  readonly address: AddressInfo | string | null;
  /** Of the listening socket, for another process; null: there is none, or it is not known. */
  readonly fd: number | null;
  /** Accepts nothing more; what is open gets its answers. */
  leave(): void;
  /** Stops accepting and cuts what is open; resolves when the place is free. */
  close(): Promise<void>;
}

export interface HttpServerDeps extends ConnectionOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sockets: SocketDescriptors;
  /** Gets what failed in answering one request. */
  readonly defect: (error: unknown) => void;
  /** Called for a reader that was cut off because so much waited for it. */
  readonly slow: (unreadBytes: number) => void;
  /** At the same time; MAX_ADMIN_CONNECTIONS at most, and by default. */
  readonly connections?: number;
  /** Answers one request of `socket`, which asks nothing more until then. */
  readonly answer: (request: Request, socket: Socket) => Content | Promise<Content>;
  /** The answer to what cannot be answered; `request`: null where none is whole. */
  readonly refuse: (status: number, sentence: string, request: Request | null) => AdminAnswer;
  /** Several times per second with connections open; `busy` while it wants to be asked again. */
  readonly look?: (nowMs: number) => 'busy' | 'idle';
}

/** Serves at `place`. */
export async function serveHttp(
  place: ListenPlace,
  deps: HttpServerDeps,
): Promise<Result<HttpServer, AdminListenFailure>> {
  const site = new Site(deps);
  const failure = await site.listen(place);
  return failure === null ? ok(site) : err(failure);
}

class Site implements ConnectionEvents, HttpServer {
  readonly #deps: HttpServerDeps;
  readonly #door: Door;
  readonly #connection: ConnectionDeps;
  readonly #served = new Set<HttpConnection>();
  /** Connections at the same time. */
  readonly #most: number;
  #look: Timer | null = null;
  /** Set from the moment when there was no place until a moment later: then some make way. */
  #crowded: Timer | null = null;
  /** Where the next request of a connection belongs. */
  #next: 'here' | 'another process' = 'here';
  #emptied: () => void = () => {};

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    this.#most = Math.min(MAX_ADMIN_CONNECTIONS, deps.connections ?? MAX_ADMIN_CONNECTIONS);
    this.#connection = { ...deps, known: new KnownRequests(deps.maxBodyBytes) };
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#door = new Door({ sockets: deps.sockets, accept, failed: () => this.#full() });
  }

  listen(place: ListenPlace): Promise<AdminListenFailure | null> {
    return this.#door.listen(place);
  }

  get address(): AddressInfo | string | null {
    return this.#door.address;
  }

  get fd(): number | null {
    return this.#door.fd;
  }

  leave(): void {
    this.#door.leave();
    this.#next = 'another process';
  }

  async close(): Promise<void> {
    this.#door.leave();
    await this.#answered();
    this.#look?.cancel();
    this.#crowded?.cancel();
    for (const one of this.#served) one.cut();
    await this.#door.ended();
  }

  asked(connection: HttpConnection, asked: Exclude<ParsedRequest, { kind: 'incomplete' }>): void {
    if (asked.kind === 'broken') return this.#refuse(connection, asked);
    const { request } = asked;
    if (this.#mayTakeTime(connection)) return this.#answer(connection, request);
    const sentence = 'As many orders wait as may at a time; nothing was done.';
    connection.send(this.#notNow(sentence, request), 'close');
  }

  broken(connection: HttpConnection, error: unknown): void {
    this.#deps.defect(error);
    connection.cut();
  }

  closed(connection: HttpConnection): void {
    this.#served.delete(connection);
    this.#admit();
    if (this.#served.size === 0) this.#emptied();
  }

  slow(connection: HttpConnection): void {
    this.#deps.slow(connection.unsentBytes);
    connection.cut();
  }

  #accept(socket: Socket): void {
    this.#served.add(new HttpConnection(socket, this, this.#connection));
    this.#look ??= this.#deps.timers.after(LOOK_MS, () => this.#lookAtAll());
    if (this.#served.size >= this.#most) this.#full();
  }

  /** Further clients wait. */
  #full(): void {
    this.#door.shut();
    const dueMs = this.#deps.clock.nowMs() + CROWDED_MS;
    this.#crowded ??= this.#deps.timers.after(CROWDED_MS, () => this.#makeWay(dueMs));
    if (this.#served.size <= this.#most) return;
    // They cannot wait (no foreign calls): the one that is most in the way goes, however new it is.
    const [victim] = inTheWay(this.#served, Number.POSITIVE_INFINITY);
    const going = victim ?? [...this.#served].at(-1);
    going?.cut();
    if (going !== undefined) this.#served.delete(going);
  }

  #admit(): void {
    if (this.#served.size < this.#most) this.#door.open();
  }

  /**
   * It was full a moment ago, and may be so again and again since. `dueMs`: now, unless this thread
   * came late to it; what was sent meanwhile is not read yet, and its sender is not silent.
   */
  #makeWay(dueMs: number): void {
    this.#crowded = null;
    const surplus = this.#served.size - Math.floor(this.#most * FREED_SHARE);
    for (const one of inTheWay(this.#served, dueMs).slice(0, Math.max(0, surplus))) {
      if (one.phase.at === 'following') this.slow(one);
      else if (one.phase.at === 'reading' && !isIdle(one)) one.end(this.#notNow(TOO_LATE, null));
      else one.cut();
    }
    this.#admit();
    if (this.#door.isShut) this.#full();
  }

  /**
   * Resolves when those that another process is not to answer have their answers, or `LEAVE_MS`
   * have passed; at once where there is no other process, because all ends then.
   */
  async #answered(): Promise<void> {
    if (this.#next === 'here') return;
    for (const one of this.#served) if (isIdle(one) || one.phase.at === 'following') one.cut();
    if (this.#served.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#deps.timers.after(LEAVE_MS, resolve);
      this.#emptied = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** What is at hand is answered within the call: most clients want one answer, and go. */
  #answer(connection: HttpConnection, request: Request): void {
    const content = this.#content(request, connection.socket);
    if (!(content instanceof Promise)) return this.#give(connection, request, content);
    content
      .catch((error) => this.#defective(error, request))
      .then((made) => this.#give(connection, request, made))
      .catch((error) => this.broken(connection, error));
  }

  #content(request: Request, socket: Socket): Content | Promise<Content> {
    try {
      return this.#deps.answer(request, socket);
    } catch (error) {
      return this.#defective(error, request);
    }
  }

  #defective(error: unknown, request: Request): Content {
    this.#deps.defect(error);
    return contentOf(this.#deps.refuse(500, defectIn(error), request));
  }

  #give(connection: HttpConnection, request: Request, content: Content): void {
    if (!makeRoom(this.#served, content.bytes, this.#deps.clock.nowMs())) {
      const sentence = 'Too many answers are on their way to readers that do not take them.';
      return connection.send(this.#notNow(sentence, request), 'close');
    }
    const { follow } = content.answer;
    if (follow !== undefined && request.method === 'GET') {
      if (this.#mayFollow()) {
        return connection.follow(outgoing(content, 'GET', 'follow').head, follow);
      }
      const sentence = 'As many follow what happens as may at a time.';
      return connection.send(this.#notNow(sentence, request), 'close');
    }
    const isLast = connection.isLast(request) || this.#next === 'another process';
    // Where clients wait, none keeps its place for its next request.
    const then = isLast || this.#crowded !== null ? 'close' : 'keep';
    connection.send(outgoing(content, request.method, then), then);
  }

  #mayFollow(): boolean {
    const following = [...this.#served].filter(({ phase }) => phase.at === 'following').length;
    const isRoom = following < Math.floor(this.#most * FOLLOWING_SHARE);
    return isRoom && countBusy(this.#served) < this.#most * BUSY_SHARE;
  }

  /** Looks may always. */
  #mayTakeTime({ phase }: HttpConnection): boolean {
    const isOrder = phase.at === 'making' && phase.what === 'order';
    return !isOrder || countBusy(this.#served) <= Math.ceil(this.#most * BUSY_SHARE);
  }

  #refuse(connection: HttpConnection, { status, problem }: typeof LATE): void {
    const answer = this.#deps.refuse(status, `This request is refused: ${problem}.`, null);
    connection.end(outgoing(contentOf(answer), 'GET', 'close'));
  }

  /** Nothing was done, and the same may be asked again a moment later. */
  #notNow(sentence: string, request: Request | null): Outgoing {
    const answer = this.#deps.refuse(503, sentence, request);
    const headers = { ...answer.headers, 'retry-after': '1' };
    return outgoing(contentOf({ ...answer, headers }), 'GET', 'close');
  }

  #lookAtAll(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const one of [...this.#served]) {
      if (!isOverdue(one, nowMs)) continue;
      if (one.phase.at === 'following') this.slow(one);
      else if (one.phase.at === 'reading' && one.phase.begun) this.#refuse(one, LATE);
      else one.cut();
    }
    const others = this.#deps.look?.(nowMs) ?? 'idle';
    const goesOn = this.#served.size > 0 || others === 'busy';
    this.#look = goesOn ? this.#deps.timers.after(LOOK_MS, () => this.#lookAtAll()) : null;
  }
}

const LATE = { status: 408, problem: `it was not whole within ${REQUEST_TIMEOUT_MS / 1000} s` };
const TOO_LATE = `More clients ask than are served at a time, and no request was whole within ${SILENT_MS} ms; nothing was done: ask again.`;

/** What cannot be answered must not end the daemon that was asked. */
function defectIn(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `This could not be answered, which is a defect of sluice: ${reason}`;
}
