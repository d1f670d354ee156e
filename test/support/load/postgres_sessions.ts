/**
 * Short PostgreSQL sessions: start-up, one query that names the server, and goodbye (PostgreSQL 15,
 * chapter 55, "Frontend/Backend Protocol"). Quicker than a psql process each.
 */
import { atRate, nowMs } from '../deadline.js';
import { type Target, tryDial, type Wire } from '../wire.js';

export interface PostgresSession {
  readonly startedMs: number;
  readonly endedMs: number;
  /** The port of the server that answered, or why there was no answer. */
  readonly result: { readonly server: number } | { readonly failure: string };
}

/** `perSecond` sessions per second for `durationMs`. */
export async function postgresSessions(
  target: Target,
  perSecond: number,
  durationMs: number,
): Promise<readonly PostgresSession[]> {
  const running: Promise<PostgresSession>[] = [];
  await atRate(perSecond, durationMs, () => running.push(postgresSession(target)));
  return Promise.all(running);
}

export async function postgresSession(target: Target): Promise<PostgresSession> {
  const startedMs = nowMs();
  const over = (result: PostgresSession['result']): PostgresSession => ({
    startedMs,
    endedMs: nowMs(),
    result,
  });
  const wire = await tryDial(target);
  if (typeof wire === 'string') return over({ failure: `connect: ${wire}` });
  try {
    await wire.send(startup('postgres', 'postgres'));
    await readyForQuery(wire);
    await wire.send(message('Q', 'select inet_server_port()\0'));
    const server = await readyForQuery(wire);
    await wire.send(message('X', ''));
    return over({ server: Number(server) });
  } catch (error) {
    return over({ failure: String(error) });
  } finally {
    wire.socket.destroy();
  }
}

/** Reads messages up to ReadyForQuery; gives the first column of the last row. */
async function readyForQuery(wire: Wire): Promise<string> {
  let value = '';
  for (;;) {
    const head = await wire.read(5);
    const body = await wire.read(head.readInt32BE(1) - 4);
    const type = String.fromCharCode(head[0] ?? 0);
    if (type === 'Z') return value;
    if (type === 'D') value = body.subarray(6, 6 + body.readInt32BE(2)).toString();
    if (type === 'E') throw new Error(body.toString('utf8').replaceAll('\0', ' '));
  }
}

function startup(user: string, database: string): Buffer {
  const text = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + text.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, text]);
}

function message(type: string, text: string): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(4 + Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}
