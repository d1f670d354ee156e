/**
 * The admin endpoint: a small HTTP server that only reads. It is bounded in everything, because
 * what watches the daemon must not be able to harm it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type IpEndpoint, ipEndpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import { type Answer, answer } from './routes.js';
import type { AdminViews } from './views.js';

/**
 * Monitoring, a few dashboards and a person; each may hold one exposition in memory (6 MB for 1000
 * backends).
 */
export const MAX_ADMIN_CONNECTIONS = 32;
export const HEADER_TIMEOUT_MS = 5_000;
export const REQUEST_TIMEOUT_MS = 10_000;
/** The two are enforced so much late at the most: Node.js looks at all connections, or at none. */
const CHECK_INTERVAL_MS = 5_000;
/** Also for a reader that does not take its answer. */
export const IDLE_TIMEOUT_MS = 15_000;
export const MAX_HEADER_BYTES = 8_192;
export const MAX_REQUESTS_A_CONNECTION = 10_000;

export interface AdminServer {
  /** The address that it really has. */
  readonly endpoint: IpEndpoint;
  /** Stops accepting and cuts what is open; resolves when the port is free. */
  close(): Promise<void>;
}

export interface AdminFailure {
  /** EADDRINUSE and its like. */
  readonly errno: string;
  readonly detail: string;
}

/** Serves `views` at `endpoint`; port 0 takes a free one. */
export async function startAdmin(
  endpoint: IpEndpoint,
  views: AdminViews,
): Promise<Result<AdminServer, AdminFailure>> {
  const server = createServer(
    {
      headersTimeout: HEADER_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => void serve(views, request, response),
  );
  server.maxConnections = MAX_ADMIN_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_A_CONNECTION;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const failure = await listen(server, endpoint);
  if (failure !== null) return err(failure);
  const { address, port } = server.address() as AddressInfo;
  return ok({ endpoint: ipEndpoint(endpoint.family, address, port), close: () => close(server) });
}

async function serve(
  views: AdminViews,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Nothing here takes a body: it is read and forgotten, at most until the request's time is over.
  request.resume();
  const question = {
    method: request.method ?? '',
    target: request.url ?? '',
    accept: request.headers.accept ?? '',
  };
  write(response, await answer(views, question).catch(failed), question.method);
}

function write(response: ServerResponse, { status, type, body, headers }: Answer, method: string) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/** A page that cannot be made must not end the daemon that it describes. */
function failed(error: unknown): Answer {
  const reason = error instanceof Error ? error.message : String(error);
  const body = `This page could not be made, which is a defect of sluice: ${reason}\n`;
  return { status: 500, type: 'text/plain; charset=utf-8', body };
}

function listen(server: Server, { host, port }: IpEndpoint): Promise<AdminFailure | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ errno: error.code ?? 'UNKNOWN', detail: error.message });
    });
    // Once it listens, errors are those of accept(2) (EMFILE …): accepting goes on without a word.
    server.on('error', () => {});
    server.listen({ host, port, ipv6Only: true }, () => resolve(null));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
