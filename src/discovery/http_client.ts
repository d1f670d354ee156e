/**
 * One request over HTTP/1.1, of which everything is bounded: time, bytes, redirects. The clients of
 * Node.js and their agents keep connections that may be half-open for ever; here each question has
 * a connection of its own.
 */
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Timers } from '../core/clock.js';
import { shown } from './answers.js';
import { HTTP_LIMIT_MS, MAX_ANSWER_BYTES, MAX_REDIRECTS } from './limits.js';
import { gatedLookup } from './lookup_gate.js';
import { type GiveUp, type SourceFailed, sourceFailed } from './source.js';
import { withinLimit } from './time_limit.js';

export interface HttpQuestion {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the host of `url` only: not to where a redirect leads. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of the authorities that are believed; null: the system's. */
  readonly ca: string | null;
  /** PEM of a certificate of the client and its key. */
  readonly client?: { readonly cert: string; readonly key: string };
  /** HTTP_LIMIT_MS where nothing is said. */
  readonly limitMs?: number;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks, follows redirects, and reads the body. It never rejects. */
export async function askHttp(
  question: HttpQuestion,
  timers: Timers,
  giveUp: GiveUp,
): Promise<HttpAnswer | SourceFailed> {
  const { limitMs = HTTP_LIMIT_MS } = question;
  return withinLimit(timers, limitMs, giveUp, async (signal) => {
    const origin = new URL(question.url).origin;
    let url = new URL(question.url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const secrets = url.origin === origin ? question.secretHeaders : {};
      const answer = await once(url, { ...question.headers, ...secrets }, question, signal);
      if (answer.kind === 'failed' || !isRedirect(answer.status)) return answer;
      const next = target(answer.headers.location, url);
      if (next === null) return sourceFailed('malformed', `${url.host} redirects to no URL`);
      // A body may hold a secret, as headers do.
      if (question.body !== undefined && next.origin !== origin) {
        return sourceFailed('refused', `${url.host} redirects to another host, ${next.host}`);
      }
      url = next;
    }
    return sourceFailed(
      'too-much',
      `more than ${MAX_REDIRECTS} redirects, the last to ${url.host}`,
    );
  });
}

/** GET stays GET with these; 304 is none. */
function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function target(location: string | undefined, from: URL): URL | null {
  if (location === undefined || !URL.canParse(location, from.href)) return null;
  const url = new URL(location, from.href);
  return /^https?:$/.test(url.protocol) ? url : null;
}

async function once(
  url: URL,
  headers: Readonly<Record<string, string>>,
  question: HttpQuestion,
  signal: AbortSignal,
): Promise<HttpAnswer | SourceFailed> {
  const response = await open(url, headers, question, signal);
  if ('kind' in response) return response;
  const read = await readBody(response, url, signal);
  response.destroy();
  return read;
}

/** Sends a request; resolves with the head of the answer, whose body is to be read or destroyed. */
export function open(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', body, ca, client }: HttpQuestion,
  signal: AbortSignal,
): Promise<IncomingMessage | SourceFailed> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(late(url));
      return;
    }
    const options: RequestOptions & { ca?: string; cert?: string; key?: string } = {
      method,
      headers: { accept: 'application/json', 'user-agent': 'sluice-discovery', ...headers },
      agent: false,
      lookup: gatedLookup,
      signal,
      ...(ca === null ? {} : { ca }),
      ...client,
    };
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const request = send(url, options, resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      resolve(signal.aborted ? late(url) : broken(url, error));
    });
    request.end(body);
  });
}

async function readBody(
  response: IncomingMessage,
  url: URL,
  signal: AbortSignal,
): Promise<HttpAnswer | SourceFailed> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Uint8Array);
      bytes += (chunk as Uint8Array).length;
      if (bytes > MAX_ANSWER_BYTES) {
        return sourceFailed(
          'too-much',
          `${url.host} answers with more than ${MAX_ANSWER_BYTES} bytes`,
        );
      }
    }
  } catch {
    if (signal.aborted) return late(url);
    return sourceFailed('malformed', `the answer of ${url.host} broke off`);
  }
  // A length that was promised and not kept, and chunks without an end, come out here.
  if (!response.complete) return sourceFailed('malformed', `the answer of ${url.host} broke off`);
  const body = Buffer.concat(chunks).toString('utf8');
  return { kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body };
}

export function late(url: URL): SourceFailed {
  return sourceFailed('timeout', `${url.host} did not answer in time`);
}

function broken(url: URL, error: NodeJS.ErrnoException): SourceFailed {
  const code = error.code ?? '';
  if (code.startsWith('HPE_'))
    return sourceFailed('malformed', `${url.host} does not speak HTTP/1.1`);
  const told = PROBLEMS[code] ?? shown(error.message);
  return sourceFailed('unreachable', `${url.host}: ${told}`);
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name server did not answer',
  ETIMEDOUT: 'it did not answer',
};
