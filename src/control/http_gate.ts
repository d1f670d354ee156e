/**
 * Which caller asks over `[admin] http`, and what it may do: there the kernel says nothing about
 * the caller, so a bearer token does (RFC 6750). It is read at each request that brings one, so
 * that it can be rotated, and compared in a time that reveals nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from '../admin/request.js';
import type { Timers } from '../core/clock.js';
import { isLoopback } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import type { AdminSpec } from '../core/spec.js';
import { readUserFile } from '../files/user_file.js';
import type { Caller } from './api/caller.js';
import type { Problem } from './api/problem.js';

/** A longer file is no token. */
const MAX_TOKEN_BYTES = 4_096;
const READ_LIMIT_MS = 3_000;
/** What a header can carry as one word; a shorter one can be guessed. */
const TOKEN = /^[\x21-\x7e]{16,4096}$/;
/** What is no word is no token either, and is refused as one. */
const BEARER = /^bearer(?: +(.*?))? *$/i;
/**
 * What machines that balance over this one ask, and what says nothing else; and the page, which
 * holds nothing until it is given the token.
 */
const FOR_ALL = new Set(['/healthz', '/ready', '/']);

export type HttpGate = (request: Request) => Promise<Result<Caller, Problem>>;

export function createHttpGate(admin: () => AdminSpec, timers: Timers): HttpGate {
  return async (request) => {
    const { http, tokenFile, allowPublic } = admin();
    const bearer = BEARER.exec(request.headers.get('authorization') ?? '');
    if (tokenFile !== null && bearer !== null) {
      const wanted = await readToken(tokenFile, timers);
      if (!wanted.ok) return err(unreadable(wanted.error));
      return same(bearer[1] ?? '', wanted.value)
        ? ok(HOLDER)
        : err(unknown('This is not the token'));
    }
    const isNear = http === null || isLoopback(http);
    const [path = ''] = request.target.split('?', 1);
    if (isNear || allowPublic || FOR_ALL.has(path)) return ok(looker(tokenFile));
    return err(unknown('Beyond loopback it takes the token to read'));
  };
}

const HOLDER: Caller = { name: 'token', may: 'change', why: '' };

function looker(tokenFile: string | null): Caller {
  const why =
    tokenFile === null
      ? 'over [admin] http things change with [admin] token_file only; use the control socket'
      : 'over [admin] http things change with the token of [admin] token_file only';
  return { name: 'unknown', may: 'look', why };
}

function unknown(what: string): Problem {
  const detail = `${what}: send "Authorization: Bearer" and what [admin] token_file holds.`;
  return { status: 401, kind: 'no-token', detail, headers: { 'www-authenticate': 'Bearer' } };
}

function unreadable(why: string): Problem {
  return { status: 503, kind: 'refused', detail: `[admin] token_file: ${why}.` };
}

async function readToken(path: string, timers: Timers): Promise<Result<string, string>> {
  const limit = new AbortController();
  const timer = timers.after(READ_LIMIT_MS, () => limit.abort());
  const { signal } = limit;
  const read = await readUserFile(path, { maxBytes: MAX_TOKEN_BYTES, signal, tried: 'again' });
  timer.cancel();
  if (read.kind === 'failed') return err(`it cannot be read: ${read.problem}`);
  const token = Buffer.from(read.bytes).toString('latin1').trim();
  return TOKEN.test(token)
    ? ok(token)
    : err('it holds no token: one word of 16 to 4096 characters');
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** Equal lengths for the comparison. */
function digest(text: string): Uint8Array {
  return createHash('sha256').update(text, 'latin1').digest();
}
