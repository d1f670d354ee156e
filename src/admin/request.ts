/**
 * HTTP/1.x requests, parsed to the letter: RFC 9112, with a body only where one is expected, and
 * then of a length that is sent before. Small on purpose, so that one request is read at a time and
 * nothing is kept of the rest (ADR 12). Pure.
 */

/** Request line and headers together. */
export const MAX_HEADER_BYTES = 8_192;
/** Path and query. */
export const MAX_TARGET_BYTES = 2_048;

export interface Request {
  readonly method: string;
  /** Of HTTP. */
  readonly version: '1.0' | '1.1';
  /** Path and query. */
  readonly target: string;
  /** As the Host header or an absolute target gives it; null: HTTP/1.0 without any. */
  readonly host: string | null;
  /** The Accept header; '' when there is none. */
  readonly accept: string;
  /** By name in lower case; the values of one that is repeated are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** What becomes of the connection: nothing can follow a body that is not read. */
  readonly after: 'keep' | 'close';
  /** Empty when there is none; null: there is one that is not read. */
  readonly body: Buffer | null;
}

export type ParsedRequest =
  /** `bytes`: with this many it may be complete; 0: unknown. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  | { readonly kind: 'request'; readonly request: Request; readonly bytes: number }
  | { readonly kind: 'broken'; readonly status: number; readonly problem: string };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TARGET = /^[\x21-\x7e]+$/;
/** Tab and everything printable: other control characters split headers elsewhere. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const ABSOLUTE = /^http:\/\/([^/?#]*)(.*)$/i;

/** The first request in `input`, of which more may follow. Longer bodies are refused; 0: unread. */
export function parseRequest(input: Buffer, maxBodyBytes: number): ParsedRequest {
  const start = skipEmptyLines(input);
  if (start === input.length) return { kind: 'incomplete', bytes: 0 };
  // A TLS hello, or any other protocol: it must not wait for a line that never ends.
  if (!TOKEN.test(String.fromCharCode(input[start] ?? 0))) return broken(400, 'this is no HTTP');
  const end = input.indexOf('\r\n\r\n', start);
  const bytes = end === -1 ? input.length : end + 4;
  if (bytes - start > MAX_HEADER_BYTES) {
    const line = input.subarray(start, start + MAX_HEADER_BYTES).indexOf('\r\n');
    return line === -1
      ? broken(414, `a request line has at most ${MAX_TARGET_BYTES} bytes`)
      : broken(431, `headers have at most ${MAX_HEADER_BYTES} bytes`);
  }
  if (end === -1) return { kind: 'incomplete', bytes: 0 };
  const [line = '', ...headers] = input.toString('latin1', start, end).split('\r\n');
  const parsed = interpret(line, headers);
  if ('status' in parsed) return parsed;
  const length = maxBodyBytes === 0 ? 0 : lengthOf(parsed, maxBodyBytes);
  if (typeof length !== 'number') return length;
  const all = bytes + length;
  if (input.length < all) return { kind: 'incomplete', bytes: all };
  if (length === 0) return { kind: 'request', request: parsed, bytes };
  const body = input.subarray(bytes, all);
  return { kind: 'request', request: { ...parsed, body, after: staysOf(parsed) }, bytes: all };
}

/** How long the body is; 0 for one that is not read, because its end is not given. */
function lengthOf({ headers }: Request, maxBytes: number): number | Broken {
  if (headers.has('transfer-encoding')) return 0;
  const told = headers.get('content-length') ?? '0';
  if (!/^\d{1,15}$/.test(told)) return broken(400, 'Content-Length is no number of bytes');
  const length = Number(told);
  return length > maxBytes ? broken(413, `a body has at most ${maxBytes} bytes`) : length;
}

type Broken = Extract<ParsedRequest, { readonly kind: 'broken' }>;

function broken(status: number, problem: string): Broken {
  return { kind: 'broken', status, problem };
}

/** Some clients send an empty line after a body: RFC 9112, 2.2. */
function skipEmptyLines(input: Buffer): number {
  let at = 0;
  while (at < 4 && input[at] === 0x0d && input[at + 1] === 0x0a) at += 2;
  return at === input.length - 1 && input[at] === 0x0d ? input.length : at;
}

function interpret(line: string, lines: readonly string[]): Request | Broken {
  const [method = '', target = '', version = '', ...rest] = line.split(' ');
  if (!TOKEN.test(method) || !TARGET.test(target) || rest.length > 0) {
    return broken(400, 'a request line is METHOD TARGET HTTP/1.1');
  }
  if (!/^HTTP\/\d\.\d$/.test(version)) return broken(400, 'a request line ends in HTTP/1.1');
  if (!version.startsWith('HTTP/1.')) return broken(505, 'only HTTP/1.x is spoken here');
  if (target.length > MAX_TARGET_BYTES) {
    return broken(414, `a target has at most ${MAX_TARGET_BYTES} bytes`);
  }
  const headers = readHeaders(lines);
  if (headers === null) return broken(400, 'a header line is malformed');
  return assemble(method, target, version, headers);
}

function assemble(
  method: string,
  target: string,
  version: string,
  headers: ReadonlyMap<string, readonly string[]>,
): Request | Broken {
  const hosts = headers.get('host') ?? [];
  if (hosts.length > 1) return broken(400, 'there is more than one Host header');
  const isOld = version === 'HTTP/1.0';
  if (hosts.length === 0 && !isOld) return broken(400, 'there is no Host header');
  const absolute = ABSOLUTE.exec(target);
  const path = absolute?.[2] ?? target;
  const joined = new Map([...headers].map(([name, values]) => [name, values.join(',')]));
  const hasBody =
    headers.has('transfer-encoding') ||
    (headers.get('content-length') ?? []).some((length) => length !== '0');
  const request = {
    method,
    target: absolute !== null && !path.startsWith('/') ? `/${path}` : path,
    host: absolute?.[1] ?? hosts[0] ?? null,
    accept: joined.get('accept') ?? '',
    headers: joined,
    version: isOld ? '1.0' : '1.1',
    body: hasBody ? null : NOTHING,
  } as const;
  return { ...request, after: hasBody || method === 'CONNECT' ? 'close' : staysOf(request) };
}

const NOTHING = Buffer.alloc(0);

/** What becomes of the connection when all of a request was read. */
function staysOf({ version, headers }: Pick<Request, 'version' | 'headers'>): Request['after'] {
  const options = (headers.get('connection') ?? '').toLowerCase().split(/[\s,]+/);
  const stays = version === '1.0' ? options.includes('keep-alive') : !options.includes('close');
  return stays ? 'keep' : 'close';
}

/** By name in lower case; null when a line is none. Continued lines are obsolete: RFC 9112, 5.2. */
function readHeaders(lines: readonly string[]): Map<string, string[]> | null {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '');
    if (!TOKEN.test(name) || !VALUE.test(value)) return null;
    const known = headers.get(name);
    if (known === undefined) headers.set(name, [value]);
    else known.push(value);
  }
  return headers;
}
