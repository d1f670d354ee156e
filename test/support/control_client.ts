/** Requests to a control socket, below `sluice ctl`: one connection each. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { PATIENCE_MS, within } from './deadline.js';

export interface ControlAnswer {
  readonly status: number;
  readonly type: string;
  readonly etag: string | null;
  readonly body: unknown;
}

/** `body`: undefined for none. */
export function askControl(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  limitMs = PATIENCE_MS,
): Promise<ControlAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const length = { 'content-length': String(Buffer.byteLength(text)) };
  const answer = new Promise<ControlAnswer>((resolve, reject) => {
    const all = { ...length, ...headers };
    const asked = request({ socketPath, method, path, headers: all, agent: false }, (response) => {
      let whole = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        whole += chunk;
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          etag: response.headers.etag ?? null,
          body: JSON.parse(whole),
        }),
      );
    });
    asked.once('error', reject);
    asked.end(text);
  });
  return within(`an answer to ${method} ${path}`, answer, limitMs);
}

/** Sends raw bytes and resolves with everything that comes until the end. */
export async function rawControl(socketPath: string, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(socketPath);
  socket.on('error', () => {});
  socket.end(bytes);
  const chunks: Buffer[] = [];
  const all = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
  });
  return within('the end of the connection', all);
}
