/** Arrivals as an access log has them, so that policies can be compared on the real workload. */
import { ipBytes } from '../../core/ip_bytes.js';
import { type Arrivals, MAX_ARRIVALS } from './arrivals.js';

export interface Recording {
  readonly arrivals: Arrivals;
  /** Lines that are not of a finished session: other events, or not to be read. */
  readonly skippedLines: number;
}

interface Session {
  readonly startMs: number;
  readonly workMs: number;
  readonly client: string;
}

/** Takes an access log line by line, as logs may be longer than a string can be. */
export class Recorder {
  readonly #listener: string | null;
  readonly #sessions: Session[] = [];
  #skippedLines = 0;

  /** Sessions of `listener` only; null: of all. */
  constructor(listener: string | null) {
    this.#listener = listener;
  }

  /**
   * A JSON line with `time` (when the session ended: milliseconds since 1970, or ISO 8601),
   * `duration_ms`, `client` (an address, with or without port), `listener` and `backend`. A session
   * that reached no backend says nothing about its work, and is skipped too.
   */
  add(line: string): void {
    if (line.trim() === '') return;
    const session = readSession(line, this.#listener);
    if (session === null || this.#sessions.length >= MAX_ARRIVALS) this.#skippedLines++;
    else this.#sessions.push(session);
  }

  recording(): Recording {
    return { arrivals: toArrivals(this.#sessions), skippedLines: this.#skippedLines };
  }
}

function readSession(line: string, listener: string | null): Session | null {
  const fields = readObject(line);
  if (fields === null || (listener !== null && fields['listener'] !== listener)) return null;
  const { time, client, backend, duration_ms: durationMs } = fields;
  const endMs = typeof time === 'string' ? Date.parse(time) : time;
  if (typeof endMs !== 'number' || !Number.isFinite(endMs)) return null;
  if (typeof backend !== 'string') return null;
  if (typeof durationMs !== 'number' || !(durationMs >= 0) || typeof client !== 'string')
    return null;
  return { startMs: endMs - durationMs, workMs: durationMs, client: hostOf(client) };
}

function readObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** `192.0.2.1:5000`, `[2001:db8::1]:5000`, either without a port, or `unix:`. */
function hostOf(client: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(client)?.[1];
  if (bracketed !== undefined) return bracketed;
  return ipBytes(client) === null ? client.replace(/:[^:]*$/, '') : client;
}

function toArrivals(sessions: Session[]): Arrivals {
  sessions.sort((a, b) => a.startMs - b.startMs);
  const firstMs = sessions[0]?.startMs ?? 0;
  const names = [...new Set(sessions.map((session) => session.client))];
  const index = new Map(names.map((name, at) => [name, at]));
  return {
    count: sessions.length,
    atMs: Float64Array.from(sessions, (session) => session.startMs - firstMs),
    workMs: Float64Array.from(sessions, (session) => session.workMs),
    client: Uint32Array.from(sessions, (session) => index.get(session.client) ?? 0),
    clients: names.map((name) => ipBytes(name) ?? new Uint8Array(0)),
  };
}
