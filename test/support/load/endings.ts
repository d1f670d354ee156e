/**
 * Sessions that end in every way there is, at the client's command: its first byte is the order to
 * the backend. Both ends check every byte of the other.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { within } from '../deadline.js';
import { freePort } from '../places.js';
import { type Target, tryDial, Wire } from '../wire.js';
import { payloadDigest, sendPayload } from './payload.js';

export const ENDINGS = ['client-fin', 'backend-fin', 'client-reset', 'backend-reset'] as const;
export type EndingKind = (typeof ENDINGS)[number];

const BYTES = 200_000;
const LIMIT_MS = 20_000;

export class EndingsBackend {
  readonly port: number;
  /** What it got and should not have. */
  readonly wrong: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      void this.#serve(new Wire(socket));
    });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(t: Test): Promise<EndingsBackend> {
    const backend = new EndingsBackend(await freePort());
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject);
      backend.#server.listen({ port: backend.port, host: '127.0.0.1' }, resolve);
    });
    t.teardown(() => {
      backend.#server.close();
      for (const socket of backend.#sockets) socket.destroy();
    });
    return backend;
  }

  async #serve(wire: Wire): Promise<void> {
    try {
      const kind = ENDINGS[(await wire.read(1))[0] ?? ENDINGS.length];
      const wrong = kind === undefined ? 'an unknown command' : await SERVE[kind](wire);
      if (wrong !== null) this.wrong.push(`${kind}: ${wrong}`);
    } catch (error) {
      this.wrong.push(String(error));
    } finally {
      wire.socket.destroy();
    }
  }
}

type Play = (wire: Wire) => Promise<string | null>;

const SERVE: Readonly<Record<EndingKind, Play>> = {
  'client-fin': async (wire) => {
    const wrong = await reads(wire, 1);
    await sendPayload(wire.socket, BYTES, 2);
    return wrong;
  },
  'backend-fin': async (wire) => {
    await sendPayload(wire.socket, BYTES, 2);
    return reads(wire, 1);
  },
  'client-reset': async (wire) => {
    await wire.send('!');
    return endsWith(wire, 'ECONNRESET', '');
  },
  'backend-reset': async (wire) => {
    await wire.send('last words');
    wire.reset();
    return null;
  },
};

const ASK: Readonly<Record<EndingKind, Play>> = {
  'client-fin': async (wire) => {
    await sendPayload(wire.socket, BYTES, 1);
    return reads(wire, 2);
  },
  'backend-fin': async (wire) => {
    const wrong = await reads(wire, 2);
    await sendPayload(wire.socket, BYTES, 1);
    return wrong;
  },
  'client-reset': async (wire) => {
    const answer = await wire.readText(1);
    wire.reset();
    return answer === '!' ? null : 'another answer';
  },
  'backend-reset': (wire) => endsWith(wire, 'ECONNRESET', 'last words'),
};

/** One session that ends as `kind` says; null when all was as it should be. */
export async function endingSession(target: Target, kind: EndingKind): Promise<string | null> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') return `${kind}: connect: ${wire}`;
  try {
    await wire.send(Uint8Array.of(ENDINGS.indexOf(kind)));
    const wrong = await within(kind, ASK[kind](wire), LIMIT_MS);
    return wrong === null ? null : `${kind}: ${wrong}`;
  } catch (error) {
    return `${kind}: ${String(error)}`;
  } finally {
    if (kind === 'client-reset') wire.reset();
    else wire.socket.destroySoon();
  }
}

async function reads(wire: Wire, seed: number): Promise<string | null> {
  const { text, how } = await wire.readAll();
  if (how !== 'fin') return `ended with ${how}`;
  const digest = createHash('sha256').update(text, 'latin1').digest('hex');
  return digest === payloadDigest(BYTES, seed) ? null : 'SHA-256 differs';
}

async function endsWith(wire: Wire, ending: string, words: string): Promise<string | null> {
  const { text, how } = await wire.readAll();
  return how === ending && text === words ? null : `${how} after "${text}"`;
}
