/** TLS options of an attempt, from its definition and the backend's host. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { ProbeTls } from '../../core/spec.js';
import { codeOf, Failed } from './failed.js';

/**
 * Without a configured name the backend's host is checked; it is sent as server name unless it is
 * an address (RFC 6066, section 3). The CA file is read at each attempt, so that it can be rotated.
 */
export async function tlsOptions(tls: ProbeTls, host: string): Promise<ConnectionOptions> {
  const name = tls.serverName ?? host;
  return {
    host: name,
    rejectUnauthorized: tls.verify,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.caFile === null ? {} : { secureContext: await believing(tls.caFile) }),
  };
}

/** A context that believes the authorities in the PEM file at `path` and no others. */
async function believing(path: string): Promise<SecureContext> {
  try {
    return createSecureContext({ ca: await readFile(path, 'utf8') });
  } catch (error) {
    throw new Failed('secret-unreadable', `cannot use the CA file ${path} (${codeOf(error)})`);
  }
}
