/** Replies of Redis' protocol (RESP2), as far as probes need them. */

import { quoted } from '../../secrets/quote.js';
import type { ProbeConnection } from './connection.js';
import { ProbeFailed } from './failed.js';

export type ProbeReply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly ProbeReply[] }
  | { readonly kind: 'null' };

/** ROLE nests two deep. */
const MAX_DEPTH = 4;

/** Reads one reply; the connection bounds its size. `what` names it in a failure. */
export async function readReply(
  connection: ProbeConnection,
  what: string,
  depth = 0,
): Promise<ProbeReply> {
  const line = await connection.takeLine(what);
  const rest = line.slice(1);
  switch (line[0]) {
    case '+':
    case ':':
      return { kind: 'text', text: rest };
    case '-':
      return { kind: 'error', code: rest.split(' ', 1)[0] ?? '', text: quoted(rest) };
    case '$':
      return readBulk(connection, what, lengthOf(rest));
    case '*': {
      const items: ProbeReply[] = [];
      if (depth >= MAX_DEPTH) throw new ProbeFailed('wrong-answer', 'a reply that nests too deep');
      for (let left = lengthOf(rest); left > 0; left--) {
        items.push(await readReply(connection, what, depth + 1));
      }
      return { kind: 'array', items };
    }
    default:
      throw new ProbeFailed('wrong-answer', `not Redis: "${quoted(line)}"`);
  }
}

async function readBulk(
  connection: ProbeConnection,
  what: string,
  length: number,
): Promise<ProbeReply> {
  if (length < 0) return { kind: 'null' };
  const bytes = await connection.take(length + 2, what);
  return { kind: 'text', text: bytes.toString('latin1', 0, length) };
}

function lengthOf(text: string): number {
  if (/^(-1|\d{1,9})$/.test(text)) return Number(text);
  throw new ProbeFailed('wrong-answer', `not a length: "${quoted(text)}"`);
}
