/** Secrets of probes: read at each attempt, so that they can be rotated. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { SecretSource } from '../../core/spec.js';
import type { ProbeResult } from '../probe.js';
import { codeOf, Failed } from './failed.js';
import type { Redactor } from './redactor.js';

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
 * The secret, without the line end that editors leave behind. `redactor` learns it before anybody
 * can repeat it.
 */
export async function readSecret(source: SecretSource, redactor: Redactor): Promise<Secret> {
  const read = source.kind === 'file' ? await readFile(source.path) : ofEnvironment(source.name);
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
  throw new Failed('secret-unreadable', `the environment variable ${name} is not set`);
}

async function readFile(path: string): Promise<Secret> {
  try {
    // A FIFO without a writer would hold up the thread that opens it, and with it everybody's.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { mode } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SECRET_BYTES + 1), 0);
      if (bytesRead <= MAX_SECRET_BYTES) {
        return { text: buffer.toString('utf8', 0, bytesRead), warning: exposure(path, mode) };
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Failed('secret-unreadable', `cannot read the secret in ${path} (${codeOf(error)})`);
  }
  throw new Failed('secret-unreadable', `${path} holds more than ${MAX_SECRET_BYTES} bytes`);
}

function exposure(path: string, mode: number): string {
  if ((mode & READABLE_BY_ALL) === 0) return '';
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return `everybody on this machine can read the password in ${path} (mode ${octal}); chmod o-r`;
}
