/** Server-sent events of the control API, as a client that never forgets reads them. */
import { request } from 'node:http';
import { within } from './deadline.js';
import { Feed } from './feed.js';
import type { Scope } from './places.js';

export interface StreamedEvent {
  readonly id: string | null;
  readonly name: string;
  readonly data: unknown;
}

export interface Streamed {
  readonly status: number;
  readonly type: string;
  readonly events: Feed<StreamedEvent>;
  close(): void;
}

/** `at`: a control socket, or the address of the admin page. */
export function openStream(
  t: Scope,
  at: { readonly socketPath: string } | { readonly host: string; readonly port: number },
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Streamed> {
  const opened = new Promise<Streamed>((resolve, reject) => {
    const all = { accept: 'text/event-stream', ...headers };
    const asked = request({ ...at, path, headers: all, agent: false }, (response) => {
      const events = new Feed<StreamedEvent>();
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        const parts = (text + piece).split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) if (!part.startsWith(':')) events.push(readEvent(part));
      });
      const over = (): void => events.end(`the stream ${path} ended`);
      response.on('error', over);
      response.on('close', over);
      const { statusCode: status = 0 } = response;
      const type = response.headers['content-type'] ?? '';
      resolve({ status, type, events, close: () => asked.destroy() });
    });
    asked.on('error', reject);
    asked.end();
    t.teardown(() => asked.destroy());
  });
  return within(`the stream ${path}`, opened);
}

function readEvent(text: string): StreamedEvent {
  const field = (name: string): string | null => {
    const line = text.split('\n').find((one) => one.startsWith(`${name}: `));
    return line === undefined ? null : line.slice(name.length + 2);
  };
  return { id: field('id'), name: field('event') ?? '', data: JSON.parse(field('data') ?? 'null') };
}
