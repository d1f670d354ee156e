/**
 * A small HTTP server, on a port or a UNIX socket, for whatever answers requests. It is bounded in
 * everything, because what watches and operates the daemon must not be able to harm it (ADR 12).
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { Clock, Timer, Timers } from '../core/clock.js';
import { err, ok, type Result } from '../core/result.js';
import { HttpAdmission, STALLED_MS } from './admission.js';
import { type ConnectionEvents, type ConnectionOptions, HttpConnection } from './connection.js';
import { KnownRequests } from './known_requests.js';
import { BUSY, type Content, contentOf, outgoing } from './outgoing.js';
import { isIdle, isOverdue, REQUEST_TIMEOUT_MS } from './overdue.js';
import type { ParsedRequest, Request } from './request.js';
import type { AdminAnswer } from './routes.js';

/**
 * Monitoring, a few dashboards and a person. One beyond that waits for a place, or gets that of the
 * connection that has been silent for longest, so that no client can lock others out by holding
 * connections. Those whose answer takes its time (`wait`, orders) need no place.
 */
export const MAX_ADMIN_CONNECTIONS = 64;
/** With those that wait for a place or for their answer. */
const MAX_OPEN_CONNECTIONS = 2 * MAX_ADMIN_CONNECTIONS;
/** Of them, those that may follow what happens: monitoring and commands still get an answer. */
const FOLLOWING_SHARE = 7 / 8;
/** Answers on their way, over all connections; one exposition of 1000 backends has 6 MB. */
export const MAX_BYTES_IN_FLIGHT = 64 * 1_048_576;
/** Of all that are open: further orders are to be given again, so that looks are answered. */
const ORDERS_SHARE = 7 / 8;
const LOOK_MS = 500;
/** For the last answers of a process whose place another one has taken. */
const LEAVE_MS = 1_000;
/** An answer below this is given whatever else is on its way. */
const SMALL_BYTES = 65_536;

export interface HttpServer {
  readonly server: Server;
  /** Accepts nothing more; what is open gets its answers. */
  leave(): void;
  /** Stops accepting and cuts what is open; resolves when the place is free. */
  close(): Promise<void>;
}

export interface AdminListenFailure {
  /** EADDRINUSE and its like. */
  readonly errno: string;
  readonly detail: string;
}

export interface HttpServerDeps extends ConnectionOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Gets what failed in answering one request. */
  readonly defect: (error: unknown) => void;
  /** Called for a reader that was cut off because so much waited for it. */
  readonly slow: (unreadBytes: number) => void;
  /** At the same time, with those that wait; MAX_OPEN_CONNECTIONS at most, and by default. */
  readonly connections?: number;
  /** Answers one request of `socket`, which asks nothing more until then. */
  readonly answer: (request: Request, socket: Socket) => Content | Promise<Content>;
  /** The answer to what is no request that can be answered. */
  readonly refuse: (status: number, sentence: string) => AdminAnswer;
  /** Several times per second with connections open; `busy` while it wants to be asked again. */
  readonly look?: (nowMs: number) => 'busy' | 'idle';
}

/** Where to listen: a place, or a socket that listens already. */
export type ListenPlace = ListenOptions | { readonly fd: number };

/** Serves at `place`. */
export async function serveHttp(
  place: ListenPlace,
  deps: HttpServerDeps,
): Promise<Result<HttpServer, AdminListenFailure>> {
  const site = new Site(deps);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (s) => site.accept(s));
  const failure = await listen(server, place);
  if (failure !== null) return err(failure);
  return ok({ server, leave: () => leave(server, site), close: () => close(server, site) });
}

class Site implements ConnectionEvents {
  readonly #deps: HttpServerDeps;
  readonly #admission: HttpAdmission;
  readonly #most: number;
  readonly #open: number;
  #look: Timer | null = null;
  /** Where the next request of a connection belongs. */
  #next: 'here' | 'another process' = 'here';
  #emptied: () => void = () => {};

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    const { clock } = deps;
    const open = Math.min(MAX_OPEN_CONNECTIONS, deps.connections ?? MAX_OPEN_CONNECTIONS);
    this.#open = open;
    this.#most = Math.min(MAX_ADMIN_CONNECTIONS, open);
    const connection = { ...deps, known: new KnownRequests(deps.maxBodyBytes) };
    const serve = (socket: Socket) => new HttpConnection(socket, this, connection);
    this.#admission = new HttpAdmission({ clock, places: this.#most, open, serve });
  }

  accept(socket: Socket): void {
    this.#admission.arrived(socket);
    this.#look ??= this.#deps.timers.after(LOOK_MS, () => this.#lookAtAll());
  }

  asked(connection: HttpConnection, asked: Exclude<ParsedRequest, { kind: 'incomplete' }>): void {
    if (asked.kind === 'broken') return this.#refuse(connection, asked);
    if (this.#mayOrder(asked.request)) return this.#answer(connection, asked.request);
    this.#turnAway(connection, 'As many orders wait as may at a time; nothing was done.');
  }

  #refuse(connection: HttpConnection, { status, problem }: typeof LATE): void {
    const answer = this.#deps.refuse(status, `This request is refused: ${problem}.`);
    connection.end(outgoing(contentOf(answer), 'GET', 'close'));
  }

  leave(): void {
    this.#next = 'another process';
  }

  /**
   * Resolves when those that another process is not to answer have their answers, or `LEAVE_MS`
   * have passed; at once where there is no other process, because all ends then.
   */
  async answered(): Promise<void> {
    const { served } = this.#admission;
    if (this.#next === 'here') return;
    for (const one of served) if (isIdle(one) || one.phase.at === 'following') one.cut();
    if (served.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#deps.timers.after(LEAVE_MS, resolve);
      this.#emptied = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  broken(connection: HttpConnection, error: unknown): void {
    this.#deps.defect(error);
    connection.cut();
  }

  closed(connection: HttpConnection): void {
    this.#admission.closed(connection);
    if (this.#admission.served.size === 0) this.#emptied();
  }

  slow(connection: HttpConnection): void {
    this.#deps.slow(connection.unsentBytes);
    connection.cut();
  }

  cutAll(): void {
    this.#look?.cancel();
    this.#admission.cutAll();
  }

  /** What is at hand is answered within the call: most clients want one answer, and go. */
  #answer(connection: HttpConnection, request: Request): void {
    const content = this.#content(request, connection.socket);
    if (!(content instanceof Promise)) return this.#give(connection, request, content);
    content
      .catch((error) => this.#defective(error))
      .then((made) => this.#give(connection, request, made))
      .catch((error) => this.broken(connection, error));
  }

  #content(request: Request, socket: Socket): Content | Promise<Content> {
    try {
      return this.#deps.answer(request, socket);
    } catch (error) {
      return this.#defective(error);
    }
  }

  #defective(error: unknown): Content {
    this.#deps.defect(error);
    return contentOf(this.#deps.refuse(500, defectIn(error)));
  }

  #give(connection: HttpConnection, request: Request, made: Content): void {
    const isRoom = made.bytes < SMALL_BYTES || this.#makeRoom(made.bytes);
    const content = isRoom ? made : contentOf(BUSY);
    const { follow } = content.answer;
    if (follow !== undefined && request.method === 'GET') {
      if (!this.#mayFollow()) {
        return this.#turnAway(connection, 'As many follow what happens as may at a time.');
      }
      return connection.follow(outgoing(content, 'GET', 'follow').head, follow);
    }
    const isLast = connection.isLast(request) || this.#next === 'another process';
    const then = isLast ? 'close' : 'keep';
    connection.send(outgoing(content, request.method, then), then);
  }

  #mayFollow(): boolean {
    const following = [...this.#admission.served].filter(({ phase }) => phase.at === 'following');
    return following.length < Math.ceil(this.#most * FOLLOWING_SHARE);
  }

  #mayOrder({ method }: Request): boolean {
    if (method === 'GET' || method === 'HEAD') return true;
    return this.#admission.served.size <= Math.ceil(this.#open * ORDERS_SHARE);
  }

  #turnAway(connection: HttpConnection, sentence: string): void {
    const answer = this.#deps.refuse(503, sentence);
    const headers = { ...answer.headers, 'retry-after': '1' };
    connection.send(outgoing(contentOf({ ...answer, headers }), 'GET', 'close'), 'close');
  }

  /**
   * Whether `bytes` more may be on their way. A reader that takes nothing loses its answer first.
   */
  #makeRoom(bytes: number): boolean {
    const stalledMs = this.#deps.clock.nowMs() - STALLED_MS;
    const sending = [...this.#admission.served]
      .flatMap((one) => (one.phase.at === 'sending' ? [{ one, movedMs: one.phase.movedMs }] : []))
      .sort((a, b) => a.movedMs - b.movedMs);
    let inFlight = sending.reduce((sum, { one }) => sum + one.unsentBytes, 0);
    for (const { one, movedMs } of sending) {
      if (inFlight + bytes <= MAX_BYTES_IN_FLIGHT || movedMs > stalledMs) break;
      inFlight -= one.unsentBytes;
      one.cut();
    }
    return inFlight + bytes <= MAX_BYTES_IN_FLIGHT;
  }

  #lookAtAll(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const one of [...this.#admission.served]) {
      if (!isOverdue(one, nowMs)) continue;
      if (one.phase.at === 'following') this.slow(one);
      else if (one.phase.at === 'reading' && one.phase.begun) this.#refuse(one, LATE);
      else one.cut();
    }
    this.#admission.admit();
    const others = this.#deps.look?.(nowMs) ?? 'idle';
    const goesOn = this.#admission.served.size > 0 || others === 'busy';
    this.#look = goesOn ? this.#deps.timers.after(LOOK_MS, () => this.#lookAtAll()) : null;
  }
}

const LATE = { status: 408, problem: `it was not whole within ${REQUEST_TIMEOUT_MS / 1000} s` };

/** What cannot be answered must not end the daemon that was asked. */
function defectIn(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `This could not be answered, which is a defect of sluice: ${reason}`;
}

function listen(server: Server, place: ListenPlace): Promise<AdminListenFailure | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ errno: error.code ?? 'UNKNOWN', detail: error.message });
    });
    // Once it listens, errors are those of accept(2) (EMFILE …): accepting goes on without a word.
    server.on('error', () => {});
    server.listen(place, () => resolve(null));
  });
}

function leave(server: Server, site: Site): void {
  server.close();
  site.leave();
}

async function close(server: Server, site: Site): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await site.answered();
  site.cutAll();
  await closed;
}
