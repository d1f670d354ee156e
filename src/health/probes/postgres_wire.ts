/**
 * PostgreSQL's frontend/backend protocol 3.0 as far as probes need it ("Message Formats" in
 * PostgreSQL's documentation): messages out, messages in, error fields.
 */

import { quoted } from '../../secrets/quote.js';
import { MAX_PROBE_ANSWER_BYTES, type ProbeConnection } from './connection.js';
import { ProbeFailed } from './failed.js';

export interface Message {
  /** One letter. */
  readonly type: string;
  readonly body: Buffer;
}

export interface ServerError {
  /** Five characters, or empty. */
  readonly sqlState: string;
  /** Severity, message and code, fit for a log line. */
  readonly text: string;
}

const PROTOCOL_3_0 = 196_608;
/** 1234 and 5679: a number that no protocol version has. */
const SSL_REQUEST_CODE = 80_877_103;

export const SSL_REQUEST = withLength('', [int32(SSL_REQUEST_CODE)]);
export const TERMINATE = withLength('X', []);

export function startupMessage(user: string, database: string): Buffer {
  const pairs = ['user', user, 'database', database, 'application_name', 'sluice'];
  return withLength('', [int32(PROTOCOL_3_0), ...pairs.map(cString), Buffer.of(0)]);
}

export function passwordMessage(password: string): Buffer {
  return withLength('p', [cString(password)]);
}

export function saslInitialResponse(mechanism: string, data: string): Buffer {
  const bytes = Buffer.from(data);
  return withLength('p', [cString(mechanism), int32(bytes.length), bytes]);
}

export function saslResponse(data: string): Buffer {
  return withLength('p', [Buffer.from(data)]);
}

export function queryMessage(sql: string): Buffer {
  return withLength('Q', [cString(sql)]);
}

/** The next message that is neither a notice, a parameter nor a negotiation of the protocol. */
export async function readMessage(connection: ProbeConnection, what: string): Promise<Message> {
  for (;;) {
    const head = await connection.take(5, what);
    const type = String.fromCharCode(head[0] ?? 0);
    const length = head.readInt32BE(1);
    if (length < 4 || length > MAX_PROBE_ANSWER_BYTES) throw notAMessage(type, head, connection);
    const body = await connection.take(length - 4, what);
    // Notice, ParameterStatus, BackendKeyData, NegotiateProtocolVersion.
    if (!'NSKv'.includes(type)) return { type, body };
  }
}

/** The fields of an ErrorResponse. */
export function readError(body: Buffer): ServerError {
  const fields = new Map<string, string>();
  for (const field of body.toString('utf8').split('\0')) {
    if (field !== '') fields.set(field.slice(0, 1), field.slice(1));
  }
  const sqlState = fields.get('C') ?? '';
  const severity = fields.get('S') ?? 'ERROR';
  return {
    sqlState,
    text: `${quoted(severity)}: ${quoted(fields.get('M') ?? '')} (${quoted(sqlState)})`,
  };
}

/** The values of a DataRow as text; null is NULL. */
export function readRow(body: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}

/**
 * A server that cannot even start a process says so in the format of protocol 2: `E` and a text.
 */
function notAMessage(type: string, head: Buffer, connection: ProbeConnection): ProbeFailed {
  const bytes = Buffer.concat([head, connection.unread]);
  return type === 'E' && /^E[a-z ]{4}/.test(head.toString('latin1'))
    ? new ProbeFailed('not-ready', quoted(bytes.subarray(1)))
    : new ProbeFailed('wrong-answer', `not PostgreSQL: "${quoted(bytes)}"`);
}

function withLength(type: string, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
