/**
 * http: one request, of whose answer the status line decides. Talks HTTP/1.1 and closes: no client
 * library, so that limits, time and descriptors are those of every other probe.
 */
import type { Endpoint } from '../../core/endpoint.js';
import { formatAddress } from '../../core/endpoint.js';
import type { ProbeSpec } from '../../core/health_spec.js';
import { quoted } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { Probe, ProbeResult } from '../probe.js';
import type { Converse, ProbeConnection } from './connection.js';
import { fullSuccess, ProbeFailed } from './failed.js';

type HttpSpec = Extract<ProbeSpec, { kind: 'http' }>;

/** A backend that says it is degraded, or that has too many requests, gets half of its weight. */
const DEGRADED_SHARE = 0.5;
const TOO_MANY_REQUESTS = 429;
/** As far into the body as the word `degraded` is looked for. */
const BODY_BYTES = 512;

export function httpProbe(spec: HttpSpec, converse: Converse, redactor: Redactor): Probe {
  const [, query] = spec.path.split('?', 2);
  // A token may stand there, and error pages repeat what they were asked for.
  redactor.learnWords(query ?? '');
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection) => {
        if (spec.tls !== null) await connection.startTls(spec.tls);
        await connection.write(request(spec, target.endpoint));
        const answer = await readAnswer(connection, spec.method);
        await connection.finish();
        return judge(spec, answer);
      }),
  };
}

interface Answer {
  readonly status: number;
  /** As in the status line: `503 Service Unavailable`. */
  readonly said: string;
  readonly degraded: boolean;
}

function request(spec: HttpSpec, endpoint: Endpoint): string {
  const host = spec.host ?? (endpoint.kind === 'unix' ? 'localhost' : formatAddress(endpoint));
  return [
    `${spec.method} ${spec.path} HTTP/1.1`,
    `Host: ${host}`,
    'User-Agent: sluice-health',
    'Accept: */*',
    'Connection: close',
    '\r\n',
  ].join('\r\n');
}

function judge(spec: HttpSpec, answer: Answer): ProbeResult {
  const { status, said, degraded } = answer;
  if (status === TOO_MANY_REQUESTS) return { ok: true, share: DEGRADED_SHARE, note: said };
  if (!spec.status.some(({ from, to }) => status >= from && status <= to)) {
    throw new ProbeFailed('not-ready', said);
  }
  return degraded
    ? { ok: true, share: DEGRADED_SHARE, note: `${said}, degraded` }
    : fullSuccess(said);
}

async function readAnswer(
  connection: ProbeConnection,
  method: HttpSpec['method'],
): Promise<Answer> {
  for (;;) {
    const line = await connection.takeLine('the status line');
    const [, code, reason] = /^HTTP\/1\.[01] ([1-9]\d\d)(?: (.*))?$/.exec(line) ?? [];
    if (code === undefined) {
      throw new ProbeFailed('wrong-answer', `not HTTP/1: "${quoted(line)}"`);
    }
    const headers = await readHeaders(connection);
    const status = Number(code);
    // Interim answers (100, 103) come before the one that counts; 101 is never asked for.
    if (status < 200) continue;
    const said = quoted(reason ? `${code} ${reason}` : code);
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    const inHeader = /^degraded\b/i.test(headers.get('x-health') ?? '');
    const degraded = inHeader || (!bodiless && saysDegraded(await bodyStart(connection, headers)));
    return { status, said, degraded };
  }
}

/** Names in lower case; of a repeated header the last. Bounded by what a connection may read. */
async function readHeaders(connection: ProbeConnection): Promise<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>();
  for (;;) {
    const line = await connection.takeLine('the end of the headers');
    if (line === '') return headers;
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

/**
 * The body as far as it matters. The status has been said by now, so a body that breaks off or does
 * not come in time changes nothing.
 */
async function bodyStart(
  connection: ProbeConnection,
  headers: ReadonlyMap<string, string>,
): Promise<string> {
  const length = headers.get('content-length') ?? '';
  const wanted = /^\d+$/.test(length) ? Math.min(Number(length), BODY_BYTES) : BODY_BYTES;
  try {
    while (connection.unread.length < wanted && (await connection.more('the body')));
  } catch (error) {
    if (!(error instanceof ProbeFailed)) throw error;
  }
  return connection.unread.toString('latin1', 0, BODY_BYTES);
}

/**
 * `degraded…`, `{"status": "degraded"…`; the size of a first chunk may stand before it (RFC 9112,
 * 7.1).
 */
function saysDegraded(body: string): boolean {
  return /^\s*(?:[0-9a-f]+\r\n\s*)?(?:\{\s*"status"\s*:\s*")?degraded\b/i.test(body);
}
