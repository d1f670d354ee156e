/**
 * SCRAM-SHA-256 as a client (RFC 5802 and RFC 7677), without channel binding. Pure: text in, text
 * out. A class of one exchange: `first`, then `final` with the server's first message, then
 * `verify`.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { quoted } from '../../secrets/quote.js';
import { ProbeFailed } from './failed.js';

export const SCRAM_MECHANISM = 'SCRAM-SHA-256';

const KEY_BYTES = 32;
/** RFC 7677 asks for 4096 and more; a count beyond this is an attempt to keep us busy. */
const MAX_ITERATIONS = 200_000;
/** GS2 header: no channel binding, no authorization identity. Its base64 is "biws". */
const GS2_HEADER = 'n,,';

const deriveKey = promisify(pbkdf2);

export class ScramClient {
  readonly #bare: string;
  readonly #nonce: string;
  readonly #password: string;
  #serverSignature: Buffer = Buffer.alloc(0);
  #verified = false;

  /** `nonce`: fresh and unguessable, printable ASCII without commas. */
  constructor(user: string, password: string, nonce: string) {
    const name = saslPrepared(user).replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#bare = `n=${name},r=${nonce}`;
    this.#nonce = nonce;
    this.#password = saslPrepared(password);
  }

  /** client-first-message */
  first(): string {
    return GS2_HEADER + this.#bare;
  }

  /** client-final-message for the server's first one; throws Failed when that is malformed. */
  async final(serverFirst: string): Promise<string> {
    const [, nonce, salt, count] =
      /^r=([^,]+),s=([^,]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst) ?? [];
    const iterations = Number(count);
    if (nonce === undefined || salt === undefined || !(iterations >= 1)) {
      throw new ProbeFailed('wrong-answer', `not SCRAM: "${quoted(serverFirst)}"`);
    }
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw new ProbeFailed('authentication', 'the server does not continue our SCRAM nonce');
    }
    if (iterations > MAX_ITERATIONS) {
      throw new ProbeFailed('authentication', `the server asks for ${iterations} SCRAM iterations`);
    }
    const saltBytes = Buffer.from(salt, 'base64');
    const salted = await deriveKey(this.#password, saltBytes, iterations, KEY_BYTES, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage);
    const proof = xor(clientKey, hmac(storedKey, authMessage));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** The server has proved that it knows the password. */
  get verified(): boolean {
    return this.#verified;
  }

  /**
   * Checks the server-final-message: only a server that knows the password's verifier can have made
   * it.
   */
  verify(serverFinal: string): void {
    const [, signature] = /^v=([^,]+)/.exec(serverFinal) ?? [];
    const given = Buffer.from(signature ?? '', 'base64');
    const expected = this.#serverSignature;
    const genuine =
      expected.length > 0 && given.length === expected.length && timingSafeEqual(given, expected);
    if (!genuine) throw new ProbeFailed('authentication', 'the server does not know the password');
    this.#verified = true;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

/**
 * SASLprep (RFC 4013) as far as it changes anything that people type: other spaces become spaces,
 * invisible characters go, the rest is normalised. Plain ASCII stays as it is.
 */
function saslPrepared(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(
      /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200c\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g,
      '',
    )
    .normalize('NFKC');
}
