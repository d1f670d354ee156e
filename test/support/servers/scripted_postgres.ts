/**
 * A server that begins sessions as PostgreSQL 18 does in protocol 3.2, with secrets of 32 bytes,
 * and takes cancels: for keys that no real server here gives out.
 */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { type Wire, WireServer } from '../wire.js';

const SECRET_BYTES = 32;
const CANCEL_CODE = 80_877_102;
const SSL_CODE = 80_877_103;
/** 3.2 */
const START_CODE = 0x3_0002;
const HEAD_BYTES = 8;

const NO_TLS = Buffer.from('N');
/** AuthenticationOk, and a parameter. */
const WELCOME = Buffer.from('R\0\0\0\x08\0\0\0\0S\0\0\0\x16server_version\x0018\0', 'latin1');
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');

export class ScriptedPostgres {
  /** Keys of the cancels that came. */
  readonly cancelled: string[] = [];
  /** A client that wants to begin a session is reset. */
  isBroken = false;
  readonly #server: WireServer;
  #sessions = 0;

  private constructor(server: WireServer) {
    this.#server = server;
  }

  static async start(t: Test): Promise<ScriptedPostgres> {
    const server = await WireServer.start(t);
    const scripted = new ScriptedPostgres(server);
    server.accepted.each((wire) => void scripted.#serve(wire).catch(() => wire.reset()));
    return scripted;
  }

  get address(): string {
    return this.#server.address;
  }

  async #serve(wire: Wire): Promise<void> {
    let [length, code] = await head(wire);
    if (code === SSL_CODE) {
      await wire.send(NO_TLS);
      [length, code] = await head(wire);
    }
    const rest = await wire.read(length - HEAD_BYTES);
    if (code === CANCEL_CODE) {
      this.cancelled.push(rest.toString('hex'));
      wire.finish();
      return;
    }
    if (this.isBroken) return wire.reset();
    const process = Buffer.alloc(4);
    process.writeUInt32BE(++this.#sessions);
    const key = Buffer.concat([process, randomBytes(SECRET_BYTES)]);
    const message = Buffer.from([0x4b, 0, 0, 0, 4 + key.length]);
    // In pieces: what is looked for may be cut anywhere.
    await wire.send(Buffer.concat([WELCOME, message, key.subarray(0, 7)]));
    await wire.send(Buffer.concat([key.subarray(7), READY]));
    await wire.ended;
    wire.finish();
  }
}

/** Logs in as a client does that prefers TLS; gives the key of the session. */
export async function logIn(wire: Wire): Promise<Buffer> {
  const request = Buffer.alloc(HEAD_BYTES);
  request.writeUInt32BE(HEAD_BYTES);
  request.writeUInt32BE(SSL_CODE, 4);
  await wire.send(request);
  await wire.read(NO_TLS.length);
  await wire.send(startMessage());
  await wire.read(WELCOME.length + 5);
  const key = await wire.read(4 + SECRET_BYTES);
  await wire.read(READY.length);
  return key;
}

export function startMessage(): Buffer {
  const start = Buffer.from('\0\0\0\0\0\0\0\0user\0postgres\0\0');
  start.writeUInt32BE(start.length);
  start.writeUInt32BE(START_CODE, 4);
  return start;
}

export function cancelRequest(key: Buffer): Buffer {
  const request = Buffer.alloc(HEAD_BYTES);
  request.writeUInt32BE(HEAD_BYTES + key.length);
  request.writeUInt32BE(CANCEL_CODE, 4);
  return Buffer.concat([request, key]);
}

async function head(wire: Wire): Promise<[length: number, code: number]> {
  const bytes = await wire.read(HEAD_BYTES);
  return [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
}
