/** Self-signed certificates by openssl, made anew for each test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { tempFolder } from './places.js';
import { mustRun } from './process.js';
import { program } from './require_server.js';

export interface CertificateFiles {
  /** PEM */
  readonly key: string;
  readonly cert: string;
  readonly keyFile: string;
  readonly certFile: string;
}

/** A certificate for `localhost` and 127.0.0.1 that is its own authority and ends in `days`. */
export async function makeCertificate(t: Test, days = 30): Promise<CertificateFiles> {
  const folder = tempFolder(t);
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  await mustRun(program('openssl'), [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
    ...['-keyout', keyFile, '-out', certFile, '-days', String(days)],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
  return {
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(certFile, 'utf8'),
    keyFile,
    certFile,
  };
}
