/**
 * The admin endpoint: what monitoring and browsers ask over HTTP. Its pages only read (ADR 12);
 * what the control API may is for its gate to say (ADR 27).
 */
import type { AddressInfo } from 'node:net';
import type { Clock, Timers } from '../core/clock.js';
import { type IpEndpoint, ipEndpoint } from '../core/endpoint.js';
import { ok, type Result } from '../core/result.js';
import type { AdminListenFailure, SocketDescriptors } from './door.js';
import { isAcceptedHost } from './host.js';
import { type Content, contentOf } from './outgoing.js';
import { PageStore } from './page_store.js';
import type { Request } from './request.js';
import { type AdminAnswer, plainAnswer, reply } from './routes.js';
import { type HttpServer, serveHttp } from './server.js';
import type { AdminViews } from './views.js';

/** A page is not shown again after this. */
const KEEP_PAGES_MS = 2_000;

export interface AdminServer extends Omit<HttpServer, 'address'> {
  /** The address that it really has. */
  readonly endpoint: IpEndpoint;
}

export interface AdminDeps {
  readonly views: AdminViews;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sockets: SocketDescriptors;
  /** Names in Host headers that are accepted beside those of this machine; in lower case. */
  readonly hosts: () => readonly string[];
  /** Gets what failed in answering one request. */
  readonly defect: (error: unknown) => void;
  /** Called for a reader that was cut off because so much waited for it. */
  readonly slow: (unreadBytes: number) => void;
  /** null, or absent: every client may read, and there is no control API. */
  readonly control?: ControlApi | null;
  /** At the same time; MAX_ADMIN_CONNECTIONS at most, and by default. */
  readonly connections?: number;
}

/** The control API as this place has it. */
export interface ControlApi {
  readonly maxBodyBytes: number;
  /** Answers what is below `prefix`. */
  readonly prefix: string;
  readonly answer: (request: Request) => AdminAnswer | Promise<AdminAnswer>;
  /** What cannot be answered. */
  readonly refuse: (status: number, sentence: string) => AdminAnswer;
  /** Why `request` may not even read; null: it may. */
  readonly refusal: (request: Request) => Promise<AdminAnswer | null>;
}

/** Serves at `endpoint` (port 0 takes a free one), or at `taken`, a socket that listens there. */
export async function startAdmin(
  endpoint: IpEndpoint,
  deps: AdminDeps,
  taken: number | null = null,
): Promise<Result<AdminServer, AdminListenFailure>> {
  const pages = new PageStore<Content>();
  const { host, port } = endpoint;
  const served = await serveHttp(taken === null ? { host, port, ipv6Only: true } : { fd: taken }, {
    ...deps,
    ends: 'gently',
    maxBodyBytes: deps.control?.maxBodyBytes ?? 0,
    refuse: (status, sentence, request) => {
      const { control = null } = deps;
      const isOfApi = control !== null && request?.target.startsWith(control.prefix);
      return isOfApi ? control.refuse(status, sentence) : plainAnswer(status, sentence);
    },
    answer: (request) => answer(request, pages, deps),
    look: (nowMs) => {
      pages.forget(nowMs - KEEP_PAGES_MS);
      return pages.isEmpty ? 'idle' : 'busy';
    },
  });
  if (!served.ok) return served;
  const server = served.value;
  const { address, port: real } = server.address as AddressInfo;
  return ok({
    endpoint: ipEndpoint(endpoint.family, address, real),
    get fd() {
      return server.fd;
    },
    leave: () => server.leave(),
    close: () => server.close(),
  });
}

async function answer(
  request: Request,
  pages: PageStore<Content>,
  { views, clock, hosts, control = null }: AdminDeps,
): Promise<Content> {
  if (request.host !== null && !isAcceptedHost(request.host, hosts())) {
    return contentOf(plainAnswer(421, foreign(request.host)));
  }
  if (control !== null) {
    if (request.target.startsWith(control.prefix)) return contentOf(await control.answer(request));
    const refused = await control.refusal(request);
    if (refused !== null) return contentOf(refused);
  }
  const wanted = reply(views, request);
  if (wanted.kind === 'at-once') return contentOf(wanted.answer());
  return pages.get(wanted.name, clock.nowMs(), async () => contentOf(await wanted.make()));
}

function foreign(host: string): string {
  const name = host.slice(0, 100);
  return `The host ${name} is not served here: put its name into [admin] hosts if it should be.`;
}
