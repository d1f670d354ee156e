/** The parameters of a Postgres StartupMessage, as far as routes look at them. Pure. */
import type { PostgresSession } from './stage.js';

/** Postgres cuts these names at NAMEDATALEN - 1 bytes, and so does every comparison with them. */
const MAX_NAME_BYTES = 63;

/** Parameters that are looked at. */
const NAMES: ReadonlySet<string> = new Set(['user', 'database', 'application_name']);
const LONGEST_NAME = 16;

/** `parameters`: pairs of text that end with a zero each, and a zero. null: they are not. */
export function sessionIn(parameters: Uint8Array): PostgresSession | null {
  const found = new Map<string, string>();
  let at = 0;
  while (parameters[at] !== 0) {
    const name = textAt(parameters, at);
    const value = name === null ? null : textAt(parameters, at + name.length + 1);
    if (name === null || value === null) return null;
    const key = name.length > LONGEST_NAME ? '' : DECODER.decode(name);
    // Of two the last one counts, as it does for Postgres.
    if (NAMES.has(key)) found.set(key, DECODER.decode(value.subarray(0, MAX_NAME_BYTES)));
    at += name.length + value.length + 2;
  }
  if (at !== parameters.length - 1) return null;
  const user = found.get('user') ?? null;
  // A client that names no database means the one that is called like the user.
  const database = found.get('database') || user;
  return { database, user, application: found.get('application_name') ?? null };
}

/** null: it has no end. */
function textAt(bytes: Uint8Array, at: number): Uint8Array | null {
  const end = bytes.indexOf(0, at);
  return end === -1 ? null : bytes.subarray(at, end);
}

const DECODER = new TextDecoder();
