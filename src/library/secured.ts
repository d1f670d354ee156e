/** TLS over a connection that the balancer has made. */
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** A handshake in which nothing happens for this long is over, unless `timeout` says otherwise. */
const HANDSHAKE_MS = 10_000;

/** Rejects, with `socket` destroyed, where no handshake comes about. */
export function secured(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { timeout: limitMs = HANDSHAKE_MS } = options;
    const secure = connect({ ...options, socket });
    const late = (): void => {
      const problem = `no TLS handshake within ${limitMs} ms`;
      secure.destroy(Object.assign(new Error(problem), { code: 'ETIMEDOUT' }));
    };
    const failed = (error: Error): void => {
      secure.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const closed = (): void => failed(new Error('the connection ended during its TLS handshake'));
    secure.setTimeout(limitMs, late);
    secure.once('error', failed);
    secure.once('close', closed);
    secure.once('secureConnect', () => {
      secure.setTimeout(0).off('timeout', late).off('error', failed).off('close', closed);
      resolve(secure);
    });
  });
}
