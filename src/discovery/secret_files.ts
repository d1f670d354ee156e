/** The files of a source over HTTP, read at each question, so that they can be rotated. */
import type { Timers } from '../core/clock.js';
import { type FileRead, readUserFile } from '../files/user_file.js';
import { type GiveUp, type SecretDeps, type SourceFailed, sourceFailed } from './source.js';
import { withinLimit } from './time_limit.js';

const MAX_FILE_BYTES = 1_048_576;
const READ_LIMIT_MS = 3_000;

interface SecretFiles {
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

interface Secrets {
  readonly kind: 'secrets';
  readonly token: string | null;
  readonly ca: string | null;
}

/** The redactor learns the token before it can be sent. */
export async function readSecrets(
  { tokenFile, caFile }: SecretFiles,
  { timers, redactor }: Pick<SecretDeps, 'timers' | 'redactor'>,
  giveUp: GiveUp,
): Promise<Secrets | SourceFailed> {
  const token = await readText(tokenFile, timers, giveUp);
  if (token !== null && typeof token !== 'string') return token;
  const ca = await readText(caFile, timers, giveUp);
  if (ca !== null && typeof ca !== 'string') return ca;
  const plain = token?.trim() ?? null;
  if (plain !== null && !/^[\x21-\x7e]+$/.test(plain)) {
    return sourceFailed('refused', `${tokenFile} holds no token`);
  }
  if (plain !== null) redactor.learn(plain);
  return { kind: 'secrets', token: plain, ca };
}

async function readText(
  path: string | null,
  timers: Timers,
  giveUp: GiveUp,
): Promise<string | null | SourceFailed> {
  return path === null ? null : readSecretText(path, timers, giveUp);
}

export async function readSecretText(
  path: string,
  timers: Timers,
  giveUp: GiveUp,
): Promise<string | SourceFailed> {
  const read: FileRead = await withinLimit(timers, READ_LIMIT_MS, giveUp, (signal) =>
    readUserFile(path, { maxBytes: MAX_FILE_BYTES, signal, tried: 'again' }),
  );
  if (read.kind === 'failed') return sourceFailed('refused', `${path}: ${read.problem}`);
  return Buffer.from(read.bytes).toString('utf8');
}
