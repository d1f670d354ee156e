import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { UNVERIFIED } from '../../contract/probe_cases.js';
import { makeCertificate } from '../../support/certificate.js';
import { haveServers } from '../../support/require_server.js';
import { askScript, line } from './ask.js';

const DAY_MS = 86_400_000;

const SELF_SIGNED =
  'self-signed certificate: name it in tls_ca_file, or set tls_verify = false ' +
  '(DEPTH_ZERO_SELF_SIGNED_CERT)';

t.test('a certificate that ends soon is noted, and does not fail the probe', async (t) => {
  if (!haveServers(t, 'openssl')) return;
  const certificate = await makeCertificate(t, 12);
  const note = async (expiryWarningMs: number): Promise<string> => {
    const spec: ProbeSpec = { kind: 'tls', tls: UNVERIFIED, expiryWarningMs };
    return line((await askScript(t, spec, [], certificate)).result);
  };
  t.equal(await note(0), 'ok: ');
  t.equal(await note(11 * DAY_MS), 'ok: ');
  t.equal(await note(14 * DAY_MS), 'ok: certificate ends in 11 days');
});

t.test('the certificate must be from a known authority and for the name', async (t) => {
  if (!haveServers(t, 'openssl')) return;
  const certificate = await makeCertificate(t);
  const asked = async (serverName: string | null, caFile: string | null): Promise<string> => {
    const tls = { serverName, verify: true, caFile };
    const spec: ProbeSpec = { kind: 'tls', tls, expiryWarningMs: 0 };
    return line((await askScript(t, spec, [], certificate)).result);
  };
  t.equal(await asked('localhost', certificate.certFile), 'ok: ');
  t.equal(await asked(null, certificate.certFile), 'ok: ', 'by the address');
  t.equal(await asked('localhost', null), `tls: ${SELF_SIGNED}`);
  t.match(await asked('else.example', certificate.certFile), /^tls: .*does not match/);
});

t.test('a server that does not speak TLS is distinguished from one that closes', async (t) => {
  const spec: ProbeSpec = { kind: 'tls', tls: UNVERIFIED, expiryWarningMs: 0 };
  const { result } = await askScript(t, spec, [
    { after: '\x16', send: Buffer.from('220 mail.example ESMTP\r\n') },
  ]);
  t.match(
    line(result),
    /^tls: it does not speak TLS on this port \(ERR_SSL_WRONG_VERSION_NUMBER\)$/,
  );
});
