/** http, tls and tcp against nginx itself, also behind a PROXY header. */
import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { makeCertificate } from '../../support/certificate.js';
import { freePort } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { startNginx } from '../../support/servers/nginx.js';
import { ask, line } from './ask.js';

type HttpSpec = Extract<ProbeSpec, { kind: 'http' }>;

const SPEC: HttpSpec = {
  kind: 'http',
  method: 'GET',
  path: '/',
  host: 'db.example',
  status: [{ from: 200, to: 399 }],
  tls: null,
};
/** PROXY protocol, version 2: signature, LOCAL, UNSPEC, no addresses (proxy-protocol.txt, 2.2). */
const LOCAL_HEADER = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

t.test('nginx', async (t) => {
  if (!haveServers(t, 'nginx', 'openssl')) return;
  const { certFile, keyFile } = await makeCertificate(t, 3);
  const ports = { clear: await freePort(), tls: await freePort(), proxy: await freePort() };
  const proxyTls = await freePort();
  const child = await startNginx(
    t,
    `http {
      access_log off;
      ssl_certificate ${certFile};
      ssl_certificate_key ${keyFile};
      server {
        listen 127.0.0.1:${ports.clear};
        listen 127.0.0.1:${ports.tls} ssl;
        listen 127.0.0.1:${ports.proxy} proxy_protocol;
        listen 127.0.0.1:${proxyTls} ssl proxy_protocol;
        location / { return 200 "fine\\n"; }
        location /degraded { add_header X-Health degraded; return 200 "x"; }
        location /body { return 200 "degraded\\n"; }
        location /moved { return 302 http://elsewhere/; }
        location /busy { return 429; }
        location /broken { return 503; }
      }
    }`,
  );
  const told = async (path: string, more: Partial<HttpSpec> = {}, port = ports.clear) =>
    line(await ask({ ...SPEC, path, ...more }, port));
  const tls = { serverName: 'localhost', verify: true, caFile: certFile };

  await t.test('http', async (t) => {
    for (const method of ['GET', 'HEAD'] as const) {
      t.equal(await told('/', { method }), 'ok: 200 OK', method);
      t.equal(await told('/degraded', { method }), 'ok at 0.5: 200 OK, degraded', method);
      t.equal(await told('/moved', { method }), 'ok: 302 Moved Temporarily', method);
      t.equal(await told('/broken', { method }), 'not-ready: 503 Service Temporarily Unavailable');
    }
    t.equal(await told('/body'), 'ok at 0.5: 200 OK, degraded');
    t.equal(await told('/busy'), 'ok at 0.5: 429 Too Many Requests');
    t.equal(await told('/', { tls }, ports.tls), 'ok: 200 OK');
    t.match(await told('/', {}, ports.tls), /^not-ready: 400 /, 'without TLS');
  });

  await t.test('tls', async (t) => {
    const spec: ProbeSpec = { kind: 'tls', tls, expiryWarningMs: 14 * 86_400_000 };
    t.equal(line(await ask(spec, ports.tls)), 'ok: certificate ends in 2 days');
    t.match(line(await ask(spec, ports.clear)), /^tls: /);
  });

  await t.test('tcp leaves nothing in the log', async (t) => {
    const before = child.stderr.past.length;
    for (let i = 0; i < 5; i++) t.equal(line(await ask({ kind: 'tcp' }, ports.clear)), 'ok: ');
    t.equal(await told('/'), 'ok: 200 OK');
    t.same(child.stderr.past.slice(before), []);
  });

  await t.test('behind a PROXY header', async (t) => {
    const withHeader = async (spec: ProbeSpec, port: number): Promise<string> =>
      line(await ask(spec, port, new AbortController().signal, LOCAL_HEADER));
    t.equal(await withHeader(SPEC, ports.proxy), 'ok: 200 OK');
    t.equal(await withHeader({ ...SPEC, tls }, proxyTls), 'ok: 200 OK', 'the header before TLS');
    t.equal(await withHeader({ kind: 'tcp' }, ports.proxy), 'ok: ');
    t.match(line(await ask(SPEC, ports.proxy)), /^(closed-early|reset): /, 'and not without it');
  });
});
