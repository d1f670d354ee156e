import t from 'tap';
import type { ProbeSpec, ProbeTls } from '../../../src/core/health_spec.js';
import { say } from '../../contract/probe_cases.js';
import { startTcpPeer } from '../../contract/probe_peers.js';
import { makeCertificate } from '../../support/certificate.js';
import { haveServers } from '../../support/require_server.js';
import { ask, askScript, line } from './ask.js';

type HttpSpec = Extract<ProbeSpec, { kind: 'http' }>;

const SPEC: HttpSpec = {
  kind: 'http',
  method: 'GET',
  path: '/ready?deep=1',
  host: 'db.example',
  status: [
    { from: 200, to: 299 },
    { from: 404, to: 404 },
  ],
  tls: null,
};
const END = '\r\n\r\n';

const SELF_SIGNED =
  'self-signed certificate: name it in tls_ca_file, or set tls_verify = false ' +
  '(DEPTH_ZERO_SELF_SIGNED_CERT)';

t.test('the request is one that every HTTP/1.1 server takes', async (t) => {
  const { received } = await askScript(t, SPEC, [say(`HTTP/1.1 204 No Content${END}`, END)]);
  t.equal(
    received,
    'GET /ready?deep=1 HTTP/1.1\r\nHost: db.example\r\nUser-Agent: sluice-health\r\n' +
      'Accept: */*\r\nConnection: close\r\n\r\n',
  );
});

t.test('without a host the backend is named by its address', async (t) => {
  const { received } = await askScript(t, { ...SPEC, host: null, method: 'HEAD' }, [
    say(`HTTP/1.1 200 OK\r\nContent-Length: 99${END}`, END),
  ]);
  t.match(received, /^HEAD .*\r\nHost: 127\.0\.0\.1:\d+\r\n/);
});

t.test('the status decides', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    [`HTTP/1.1 200 OK${END}`, 'ok: 200 OK'],
    [`HTTP/1.0 299 ${END}`, 'ok: 299'],
    [`HTTP/1.1 200${END}`, 'ok: 200'],
    ['HTTP/1.1 200 OK\n\n', 'ok: 200 OK'],
    [`HTTP/1.1 404 Not Found${END}`, 'ok: 404 Not Found'],
    [`HTTP/1.1 403 Forbidden${END}`, 'not-ready: 403 Forbidden'],
    [`HTTP/1.1 503 \x1b[31mred${END}`, 'not-ready: 503 .[31mred'],
    [`HTTP/1.1 100 Continue${END}HTTP/1.1 200 OK${END}`, 'ok: 200 OK'],
    [`HTTP/1.1 103 Early Hints\r\nLink: x${END}HTTP/1.1 500 No${END}`, 'not-ready: 500 No'],
    [`HTTP/2 200 OK${END}`, 'wrong-answer: not HTTP/1: "HTTP/2 200 OK"'],
    [`HTTP/1.1 20 OK${END}`, 'wrong-answer: not HTTP/1: "HTTP/1.1 20 OK"'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'wrong-answer: not HTTP/1: "SSH-2.0-OpenSSH_9.2"'],
  ];
  for (const [answer, expected] of table) {
    const { result } = await askScript(t, { ...SPEC, method: 'HEAD' }, [say(answer, END)]);
    t.equal(line(result), expected, JSON.stringify(answer));
  }
});

t.test('a degraded backend is up with half of its weight', async (t) => {
  const length = (body: string) => `Content-Length: ${body.length}${END}${body}`;
  const table: readonly (readonly [string, string])[] = [
    [`HTTP/1.1 200 OK\r\nX-Health: degraded${END}`, 'ok at 0.5: 200 OK, degraded'],
    [`HTTP/1.1 200 OK\r\nx-health:DEGRADED; disk${END}`, 'ok at 0.5: 200 OK, degraded'],
    [`HTTP/1.1 200 OK\r\nX-Health: fine${END}`, 'ok: 200 OK'],
    [`HTTP/1.1 200 OK\r\n${length('degraded\n')}`, 'ok at 0.5: 200 OK, degraded'],
    [`HTTP/1.1 200 OK\r\n${length('{"status": "degraded"}')}`, 'ok at 0.5: 200 OK, degraded'],
    [`HTTP/1.1 200 OK\r\n${length('{"status": "up"}')}`, 'ok: 200 OK'],
    [`HTTP/1.1 200 OK\r\n${length('not degraded')}`, 'ok: 200 OK'],
    [
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked${END}8\r\ndegraded\r\n0${END}`,
      'ok at 0.5: 200 OK, degraded',
    ],
    [`HTTP/1.1 429 Too Many Requests${END}`, 'ok at 0.5: 429 Too Many Requests'],
    [`HTTP/1.1 503 Busy\r\nX-Health: degraded${END}`, 'not-ready: 503 Busy'],
  ];
  for (const [answer, expected] of table) {
    const end = answer.includes('Length') ? answer : `${answer}${' '.repeat(600)}`;
    const { result } = await askScript(t, SPEC, [say(end, END)]);
    t.equal(line(result), expected, answer);
  }
});

t.test('a body that never comes changes nothing about the status', async (t) => {
  const abort = new AbortController();
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 5${END}`;
  const peer = await startTcpPeer({ steps: [say(answer, END)] }, 'none');
  const asked = ask(SPEC, peer.endpoint, abort.signal);
  await peer.stalled;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  t.equal(line(await asked), 'ok: 200 OK');
  await peer.stop();
});

t.test('over TLS the certificate is checked if asked for', async (t) => {
  if (!haveServers(t, 'openssl')) return;
  const certificate = await makeCertificate(t);
  const steps = [say(`HTTP/1.1 200 OK\r\nContent-Length: 0${END}`, END)];
  const tls: ProbeTls = { serverName: 'localhost', verify: true, caFile: certificate.certFile };
  const over = async (changed: Partial<ProbeTls>) => {
    const spec: HttpSpec = { ...SPEC, tls: { ...tls, ...changed } };
    return line((await askScript(t, spec, steps, certificate)).result);
  };
  t.equal(await over({}), 'ok: 200 OK');
  t.equal(await over({ serverName: null }), 'ok: 200 OK', 'by its address');
  t.match(await over({ serverName: 'other.example' }), /^tls: .*other\.example/);
  t.equal(await over({ caFile: null }), `tls: ${SELF_SIGNED}`);
  t.equal(await over({ caFile: null, verify: false }), 'ok: 200 OK');
  t.match(
    await over({ caFile: '/nowhere/ca.pem' }),
    /^secret-unreadable: .*ca\.pem: no such file \(ENOENT\)$/,
  );
});
