/** Lists over HTTP: what is asked, with which secrets, and how far redirects are followed. */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { HttpSourceSpec } from '../../../src/core/discovery_spec.js';
import { formatAddress } from '../../../src/core/endpoint.js';
import { seededRandom } from '../../../src/core/random.js';
import type { SourceAnswer } from '../../../src/discovery/source.js';
import { httpSource } from '../../../src/discovery/sources/http.js';
import { Redactor } from '../../../src/secrets/redactor.js';
import { makeCertificate } from '../../support/certificate.js';
import { fastTime } from '../../support/fast_time.js';
import { freePort, tempFolder } from '../../support/places.js';
import { closeServer, trackSockets } from '../../support/servers/tracked.js';

const NEVER = new AbortController().signal;
const LIST = '[{"targets": ["10.0.0.1:5432"]}]';

type Tls = { readonly key: string; readonly cert: string };

async function serve(t: Test, handler: RequestListener, tls?: Tls): Promise<number> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  const sockets = trackSockets(server);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => closeServer(server, sockets));
  return port;
}

function source(url: string, more: Partial<HttpSourceSpec> = {}) {
  const spec = { kind: 'http', url, intervalMs: 30_000, tokenFile: null, caFile: null } as const;
  const made = httpSource(
    { ...spec, ...more },
    {
      ...fastTime(1),
      random: seededRandom(1),
      redactor: new Redactor(),
    },
  );
  return { ask: () => made.ask(NEVER) };
}

function texts(answer: SourceAnswer): readonly string[] | string {
  if (answer.kind === 'failed') return answer.problem;
  if (answer.kind === 'unchanged') return 'unchanged';
  return answer.members.map(({ address }) => formatAddress(address));
}

t.test('it is asked as Prometheus asks, and again only for what is new', async (t) => {
  const heads: IncomingMessage['headers'][] = [];
  const port = await serve(t, ({ headers }, response) => {
    heads.push(headers);
    if (headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.setHeader('etag', '"1"').end(LIST);
  });
  const one = source(`http://127.0.0.1:${port}/`);
  for (let turn = 0; turn < 2; turn++) t.same(texts(await one.ask()), ['10.0.0.1:5432']);
  t.match(heads, [
    { 'x-prometheus-refresh-interval-seconds': '30', accept: 'application/json' },
    { 'if-none-match': '"1"' },
  ]);
});

t.test('three redirects are followed, and a token stays with its host', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(t, ({ headers }, response) => {
    seen.push(headers.authorization);
    response.end(LIST);
  });
  const port = await serve(t, ({ url = '', headers }, response) => {
    seen.push(headers.authorization);
    const left = Number(url.slice(1));
    const location = left > 1 ? `/${left - 1}` : `http://127.0.0.1:${other}/`;
    response.writeHead(302, { location }).end();
  });
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, 'secret\n');
  t.same(texts(await source(`http://127.0.0.1:${port}/3`, { tokenFile }).ask()), ['10.0.0.1:5432']);
  t.same(seen, ['Bearer secret', 'Bearer secret', 'Bearer secret', undefined]);
  t.match(texts(await source(`http://127.0.0.1:${port}/4`).ask()), /more than 3 redirects/);
  writeFileSync(tokenFile, 'two\nlines');
  t.match(texts(await source(`http://127.0.0.1:${port}/1`, { tokenFile }).ask()), /no token/);
});

t.test('an authority of its own is believed, and no other', async (t) => {
  const { key, cert, certFile: caFile } = await makeCertificate(t);
  const port = await serve(t, (_, response) => void response.end(LIST), { key, cert });
  const url = `https://localhost:${port}/`;
  t.same(texts(await source(url, { caFile }).ask()), ['10.0.0.1:5432']);
  t.match(await source(url).ask(), { failure: 'unreachable', problem: /certificate/ });
});
