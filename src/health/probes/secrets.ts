/**
 * Secrets of probes: read at each attempt, so that they can be rotated, and kept out of messages.
 */
import { open } from 'node:fs/promises';
import type { SecretSource } from '../../core/spec.js';
import { codeOf, Failed } from './failed.js';

/** A longer file is not a password. */
const MAX_SECRET_BYTES = 4_096;

/** The secret, without the line end that editors leave behind. */
export async function readSecret(source: SecretSource): Promise<string> {
  const text = source.kind === 'file' ? await readFile(source.path) : readEnvironment(source.name);
  return text.replace(/\r?\n$/, '');
}

/** `text`, which a server said, without the secret that it may have repeated. */
export function conceal(text: string, secret: string | null): string {
  return secret === null || secret === '' ? text : text.replaceAll(secret, '***');
}

function readEnvironment(name: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new Failed('secret-unreadable', `the environment variable ${name} is not set`);
}

async function readFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SECRET_BYTES + 1), 0);
      if (bytesRead <= MAX_SECRET_BYTES) return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Failed('secret-unreadable', `cannot read the secret in ${path} (${codeOf(error)})`);
  }
  throw new Failed('secret-unreadable', `${path} holds more than ${MAX_SECRET_BYTES} bytes`);
}
