/**
 * The backend behind fuzzed sessions: it has TLS for Postgres clients that ask for it, ends
 * cancels, and echoes everything else.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { freePort, type Scope } from '../support/places.js';

const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const CANCEL_CODE = 80_877_102;

export class FuzzBackend {
  readonly port: number;
  open = 0;
  readonly #server: Server;

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.open++;
      socket.on('close', () => this.open--);
      socket.on('error', () => {});
      socket.on('end', () => socket.end());
      serve(socket);
    });
  }

  static async start(scope: Scope): Promise<FuzzBackend> {
    const backend = new FuzzBackend(await freePort());
    const server = backend.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: backend.port, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    scope.teardown(() => server.close());
    return backend;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
}

/** What a proxy asks by itself comes whole; all else is answered at its first byte. */
function serve(socket: Socket): void {
  socket.once('data', (first: Buffer) => {
    socket.on('data', (chunk: Buffer) => {
      if (!socket.writableEnded) socket.write(chunk);
    });
    if (first.length >= 8 && first.readUInt32BE(4) === CANCEL_CODE) {
      socket.end();
      return;
    }
    const asksTls = first.subarray(0, 8).equals(SSL_REQUEST);
    socket.write(asksTls ? Buffer.concat([Buffer.from('S'), first.subarray(8)]) : first);
  });
}
