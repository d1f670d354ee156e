/** Secrets of probes: read at each attempt, so that they can be rotated. */
import type { CutOffSignal } from '../../core/cut_off.js';
import type { SecretSource } from '../../core/health_spec.js';
import { readUserFile } from '../../files/user_file.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { ProbeResult } from '../probe.js';
import { ProbeFailed } from './failed.js';

/** A longer file is not a password. */
const MAX_SECRET_BYTES = 4_096;
/** S_IROTH of inode(7). */
const READABLE_BY_ALL = 0o004;

export interface Secret {
  readonly text: string;
  /** A sentence without a full stop about what needs care; empty: nothing does. */
  readonly warning: string;
}

/**
 * The secret, without the line end that editors leave behind. `redactor` learns it before a server
 * can repeat it.
 */
export async function readSecret(
  source: SecretSource,
  redactor: Redactor,
  signal: CutOffSignal,
): Promise<Secret> {
  const read =
    source.kind === 'file' ? await readFile(source.path, signal) : ofEnvironment(source.name);
  const text = read.text.replace(/\r?\n$/, '');
  redactor.learn(text);
  return { ...read, text };
}

/** `result`, with the warning of the secret that it was had with. */
export function cared(result: ProbeResult, secret: Secret | null): ProbeResult {
  if (secret === null || secret.warning === '' || !result.ok) return result;
  return { ...result, warning: secret.warning };
}

function ofEnvironment(name: string): Secret {
  const text = process.env[name];
  if (text !== undefined) return { text, warning: '' };
  throw new ProbeFailed('secret-unreadable', `the environment variable ${name} is not set`);
}

async function readFile(path: string, signal: CutOffSignal): Promise<Secret> {
  const read = await readUserFile(path, { maxBytes: MAX_SECRET_BYTES, signal, tried: 'again' });
  if (read.kind === 'read') {
    return { text: Buffer.from(read.bytes).toString(), warning: exposure(path, read.mode) };
  }
  if (read.code === 'EFBIG') {
    throw new ProbeFailed('secret-unreadable', `${path} holds more than ${MAX_SECRET_BYTES} bytes`);
  }
  throw new ProbeFailed('secret-unreadable', `cannot read the secret in ${path}: ${read.problem}`);
}

function exposure(path: string, mode: number): string {
  if ((mode & READABLE_BY_ALL) === 0) return '';
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return `every user of this machine can read the password in ${path} (mode ${octal}); chmod o-r`;
}
