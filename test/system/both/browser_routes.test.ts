/**
 * Chromium goes by name through both engines to real nginx: its hello has two kilobytes, never
 * comes in one segment, and has an extension for encrypted hellos whether or not it is read.
 */
import t from 'tap';
import { accessLines } from '../../support/access_lines.js';
import { noBrowser, startBrowser } from '../../support/browser.js';
import { makeCertificate } from '../../support/certificate.js';
import { startDaemon } from '../../support/daemon.js';
import { eventually } from '../../support/deadline.js';
import { enginesUnderTest } from '../../support/engines.js';
import { freePort } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { startNginx } from '../../support/servers/nginx.js';
import { listenerText, poolText } from '../../support/settings.js';

/** A group of two kilobytes of keys is in every hello of Chromium's since 2024. */
const LEAST_HELLO_BYTES = 1_500;

t.test('a browser is served by name and protocol', { skip: noBrowser }, async (t) => {
  if (!haveServers(t, 'nginx', 'openssl')) return;
  const files = await makeCertificate(t);
  const [shop, wiki] = [await freePort(), await freePort()];
  const server = (name: string, listen: string): string =>
    `server { listen 127.0.0.1:${listen}; ssl_certificate ${files.certFile};
     ssl_certificate_key ${files.keyFile}; default_type text/plain;
     location / { return 200 "${name} heard $ssl_server_name by $server_protocol"; } }`;
  await startNginx(
    t,
    `http { ${server('shop', `${shop} ssl http2`)} ${server('wiki', `${wiki} ssl`)} }`,
  );
  const toml =
    listenerText({
      name: 'in',
      pool: '',
      lines: `routes = [
  { server_name = "closed.example", pool = "" },
  { server_name = "wiki.example", alpn = "http/1.1", pool = "wiki" },
  { alpn = "h2", server_name = ["*.shop.example"], pool = "shop" },
]`,
    }) +
    poolText({ name: 'shop', backends: [{ address: `127.0.0.1:${shop}` }] }) +
    poolText({ name: 'wiki', backends: [{ address: `127.0.0.1:${wiki}` }] });
  const browser = await startBrowser(t, ['--host-resolver-rules=MAP *.example 127.0.0.1']);
  for (const engine of enginesUnderTest()) {
    const daemon = await startDaemon(t, { toml, engine, access: 'all' });
    for (const pool of ['shop', 'wiki']) await daemon.backendsUp(pool, 1);
    const port = await daemon.port('in');
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const read = async (host: string): Promise<string | null> => {
      const answer = await page.goto(`https://${host}:${port}/`).catch((error) => String(error));
      return typeof answer === 'string' ? answer : page.textContent('body');
    };
    t.equal(await read('a.shop.example'), 'shop heard a.shop.example by HTTP/2.0', engine);
    t.equal(await read('wiki.example'), 'wiki heard wiki.example by HTTP/1.1', engine);
    for (const host of ['closed.example', 'shop.example']) {
      t.match(await read(host), /ERR_SSL_UNRECOGNIZED_NAME_ALERT/, `${host} on ${engine}`);
    }
    await page.close();
    const lines = await eventually('lines of both pools', () => {
      const all = accessLines(daemon).filter(({ backend }) => backend !== null);
      return new Set(all.map(({ pool }) => pool)).size === 2 ? all : undefined;
    });
    // One that the browser opened in advance may have said nothing but its hello.
    for (const { bytes_in } of lines) t.ok(bytes_in > LEAST_HELLO_BYTES, `${bytes_in} bytes`);
  }
});
