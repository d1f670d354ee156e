/** TLS options of an attempt, from its definition and the backend's host. */

import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { CutOffSignal } from '../../core/cut_off.js';
import type { ProbeTls } from '../../core/health_spec.js';
import { ipBytes } from '../../core/ip_bytes.js';
import { readUserFile } from '../../files/user_file.js';
import { codeOf, ProbeFailed } from './failed.js';

/** Many times the bundle of all authorities that browsers trust. */
const MAX_CA_BYTES = 4 * 1_048_576;

/**
 * Without a configured name the backend's host is checked; it is sent as server name unless it is
 * an address (RFC 6066, section 3). The CA file is read at each attempt, so that it can be rotated.
 */
export async function tlsOptions(
  tls: ProbeTls,
  host: string,
  signal: CutOffSignal,
): Promise<ConnectionOptions> {
  const name = tls.serverName ?? host;
  return {
    host: name,
    rejectUnauthorized: tls.verify,
    ...(ipBytes(name) === null ? { servername: name } : {}),
    ...(tls.caFile === null ? {} : { secureContext: await believing(tls.caFile, signal) }),
  };
}

/** A context that believes the authorities in the PEM file at `path` and no others. */
async function believing(path: string, signal: CutOffSignal): Promise<SecureContext> {
  const read = await readUserFile(path, { maxBytes: MAX_CA_BYTES, signal, tried: 'again' });
  if (read.kind === 'failed') {
    throw new ProbeFailed('secret-unreadable', `cannot read the CA file ${path}: ${read.problem}`);
  }
  try {
    return createSecureContext({ ca: Buffer.from(read.bytes) });
  } catch (error) {
    throw new ProbeFailed('secret-unreadable', `cannot use the CA file ${path} (${codeOf(error)})`);
  }
}
