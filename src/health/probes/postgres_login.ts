/** Logging in to PostgreSQL: from the start-up message to ReadyForQuery. */
import { createHash } from 'node:crypto';
import { quoted } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { ProbeConnection } from './connection.js';
import { ProbeFailed } from './failed.js';
import {
  type Message,
  passwordMessage,
  readError,
  readMessage,
  type ServerError,
  saslInitialResponse,
  saslResponse,
} from './postgres_wire.js';
import { SCRAM_MECHANISM, ScramClient } from './scram.js';

export interface Credentials {
  readonly user: string;
  readonly password: string | null;
  readonly nonce: string;
  /** Learns what is sent in place of the password: it is enough to guess the password from. */
  readonly redactor: Redactor;
  /** Whether the password may go as it is: only where no one else can read it, or by consent. */
  readonly cleartext: 'allowed' | 'refused';
}

/** The codes of Authentication… messages. */
export const AUTHENTICATED = 0;
const CLEARTEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

/** Answers what the server asks until it is ready for a query; throws Failed when it refuses. */
export async function logIn(connection: ProbeConnection, credentials: Credentials): Promise<void> {
  const learnt = (answer: string): string => {
    credentials.redactor.learnWords(answer);
    return answer;
  };
  let scram: ScramClient | null = null;
  for (;;) {
    const message = await next(connection, 'the end of the login');
    if (message.type === 'Z') return;
    const code = authenticationCode(message);
    if (code === AUTHENTICATED) {
      // A server that skips its part of the exchange may be an impostor.
      if (scram === null || scram.verified) continue;
      throw new ProbeFailed(
        'authentication',
        'the server does not prove that it knows the password',
      );
    }
    const data = message.body.subarray(4);
    switch (code) {
      case CLEARTEXT:
        await connection.write(passwordMessage(cleartextOf(credentials)));
        break;
      case MD5:
        await connection.write(passwordMessage(learnt(md5Answer(credentials, data))));
        break;
      case SASL:
        scram = startScram(credentials, data);
        await connection.write(saslInitialResponse(SCRAM_MECHANISM, scram.first()));
        break;
      case SASL_CONTINUE:
        await connection.write(saslResponse(learnt(await begun(scram).final(String(data)))));
        break;
      case SASL_FINAL:
        begun(scram).verify(data.toString('utf8'));
        break;
      default:
        throw new ProbeFailed(
          'authentication',
          `asks for a login of kind ${code}, which is unknown here`,
        );
    }
  }
}

/** The code of an AuthenticationRequest; throws Failed for any other message. */
export function authenticationCode(message: Message): number {
  if (message.type !== 'R' || message.body.length < 4) {
    throw new ProbeFailed(
      'wrong-answer',
      `an unexpected message of type "${quoted(message.type)}"`,
    );
  }
  return message.body.readInt32BE(0);
}

/** The next message that is not an error. */
export async function next(connection: ProbeConnection, what: string): Promise<Message> {
  const message = await readMessage(connection, what);
  if (message.type !== 'E') return message;
  throw refusal(readError(message.body));
}

/**
 * What an ErrorResponse means when there are credentials: class 28 is about them, the rest is not
 * ready.
 */
function refusal(error: ServerError): ProbeFailed {
  const ours = error.sqlState.startsWith('28');
  return new ProbeFailed(ours ? 'authentication' : 'not-ready', error.text);
}

function passwordOf(credentials: Credentials): string {
  if (credentials.password !== null) return credentials.password;
  throw new ProbeFailed('authentication', 'asks for a password, and none is configured');
}

/**
 * libpq would send it to any server that asks; `require_auth` of PostgreSQL 16 is its late answer.
 */
function cleartextOf(credentials: Credentials): string {
  const password = passwordOf(credentials);
  if (credentials.cleartext === 'allowed') return password;
  throw new ProbeFailed(
    'authentication',
    'asks for the password in clear, without TLS: set tls = true, or allow_cleartext_password',
  );
}

function startScram(credentials: Credentials, mechanisms: Buffer): ScramClient {
  if (mechanisms.toString('latin1').split('\0').includes(SCRAM_MECHANISM)) {
    return new ScramClient('', passwordOf(credentials), credentials.nonce);
  }
  throw new ProbeFailed('authentication', `does not offer ${SCRAM_MECHANISM}`);
}

function begun(scram: ScramClient | null): ScramClient {
  if (scram !== null) return scram;
  throw new ProbeFailed('wrong-answer', 'continues a SCRAM exchange that was not begun');
}

/** `data`: the message behind its code, which begins with the salt. */
function md5Answer(credentials: Credentials, data: Buffer): string {
  const salt = data.subarray(0, 4);
  const md5 = (...parts: (string | Buffer)[]): string =>
    parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('hex');
  return `md5${md5(md5(passwordOf(credentials), credentials.user), salt)}`;
}
