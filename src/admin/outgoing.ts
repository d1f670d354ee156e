/** Answers as they go out. Pure. */
import { STATUS_CODES } from 'node:http';
import type { AdminAnswer } from './routes.js';

/** A body up to here goes out as text, with its head in one write: no buffer is made of it. */
const TEXT_BYTES = 65_536;

/** An answer whose size is known: made once for all connections that get it. */
export interface Content {
  readonly answer: AdminAnswer;
  readonly body: Body;
  /** Of the body. */
  readonly bytes: number;
}

export type Body = string | Buffer;

/** The body is shared by all that get it. */
export interface Outgoing {
  readonly head: string;
  /** Empty for HEAD. */
  readonly body: Body;
  /** Of the body. */
  readonly bytes: number;
}

export function contentOf(answer: AdminAnswer): Content {
  const { body } = answer;
  const bytes = Buffer.byteLength(body);
  return { answer, body: bytes <= TEXT_BYTES ? body : Buffer.from(body), bytes };
}

/** `follow`: the body ends with the connection. */
export function outgoing(
  { answer, body, bytes }: Content,
  method: string,
  then: 'keep' | 'close' | 'follow',
): Outgoing {
  const { status, type, headers } = answer;
  const length = then === 'follow' ? '' : `content-length: ${bytes}\r\n`;
  // Put together as text: it is written for each request.
  let head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${type}\r\n${length}` +
    'cache-control: no-store\r\nx-content-type-options: nosniff\r\n' +
    `connection: ${then === 'keep' ? 'keep-alive' : 'close'}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  head += '\r\n';
  return method === 'HEAD' ? { head, body: '', bytes: 0 } : { head, body, bytes };
}
