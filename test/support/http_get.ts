/**
 * One request for a page of the daemon, over a connection of its own and with a limit. fetch() of
 * Node.js 20 can wait for ever when the daemon resets the connection at once, as it does while it
 * has no descriptor left.
 */
import { get } from 'node:http';
import { PATIENCE_MS, within } from './deadline.js';

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** Rejects with the socket's error, or when the whole answer is not there after `limitMs`. */
export function httpGet(url: string, limitMs = PATIENCE_MS): Promise<Page> {
  const page = new Promise<Page>((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
  return within(`an answer from ${url}`, page, limitMs);
}
