/** Routes of a listener, by real clients: TLS goes through as it came, to the pool of its name. */
import { once } from 'node:events';
import { type AddressInfo, createConnection } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { accessLines } from '../support/access_lines.js';
import { type CertificateFiles, makeCertificate } from '../support/certificate.js';
import { clientHello, helloMessage, LARGE_KEY_SHARE, records } from '../support/client_hello.js';
import { startOperated } from '../support/ctl.js';
import { startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { type Output, runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { startNginx } from '../support/servers/nginx.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

/** `[[listeners.NAME.routes]]`, by the lines of each. */
const routes = (listener: string, ...all: readonly string[]): string =>
  all.map((lines) => `[[listeners.${listener}.routes]]\n${lines}\n`).join('');

/** Says its name within TLS, and what the client has asked for. */
async function startTls(t: Test, name: string, { key, cert }: CertificateFiles): Promise<string> {
  const server = createServer({ key, cert, ALPNProtocols: ['h2', 'postgresql'] });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.end(`${name} heard ${socket.servername || 'no name'} ${socket.alpnProtocol || '-'}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const openssl = (port: number, ...args: readonly string[]): Promise<Output> =>
  runToEnd(program('openssl'), ['s_client', '-ign_eof', '-connect', `127.0.0.1:${port}`, ...args]);

t.test('TLS clients go by name and protocol, and one without a route is told so', async (t) => {
  if (!haveServers(t, 'openssl', 'curl', 'nginx')) return;
  const files = await makeCertificate(t);
  const web = await freePort();
  await startNginx(
    t,
    `http { server { listen 127.0.0.1:${web} ssl; ssl_certificate ${files.certFile};
     ssl_certificate_key ${files.keyFile}; location / { return 200 "nginx heard $ssl_server_name"; } } }`,
  );
  const { daemon, ask, ctl } = await startOperated(t, {
    access: 'all',
    toml:
      listenerText({ pool: '', name: 'in' }) +
      routes(
        'in',
        'server_name = ["one.example", "bücher.example"]\npool = "one"',
        'server_name = "*.web.example"\npool = "web"',
        'alpn = "postgresql"\npool = "two"',
        'server_name = "closed.example"\npool = ""',
      ) +
      listenerText({ pool: '', name: 'direct', lines: 'postgres.strict = true' }) +
      routes('direct', 'alpn = "postgresql"\nserver_name = "*.example"\npool = "two"') +
      poolText({ name: 'one', backends: [{ address: await startTls(t, 'one', files) }] }) +
      poolText({ name: 'two', backends: [{ address: await startTls(t, 'two', files) }] }) +
      poolText({ name: 'web', backends: [{ address: `127.0.0.1:${web}` }] }),
  });
  for (const pool of ['one', 'two', 'web']) await daemon.backendsUp(pool, 1);
  const port = await daemon.port('in');
  const version = (one: string) => openssl(port, one, '-servername', 'ONE.example');
  const [old, now, protocol, unknown, closed, nameless] = await Promise.all([
    version('-tls1_2'),
    version('-tls1_3'),
    openssl(port, '-alpn', 'h2,postgresql', '-noservername'),
    openssl(port, '-servername', 'web.example'),
    openssl(port, '-servername', 'closed.example', '-tls1_2'),
    openssl(port, '-noservername'),
  ]);
  for (const one of [old, now]) t.match(one.stdout, 'one heard ONE.example -');
  t.match(protocol.stdout, 'two heard no name h2');
  for (const one of [unknown, closed, nameless]) {
    t.match(`${one.stdout}${one.stderr}`, /unrecognized name|alert number 112/);
  }
  const page = await runToEnd(program('curl'), [
    ...['-sSk', '--resolve', `a.b.web.example:${port}:127.0.0.1`],
    `https://a.b.web.example:${port}/`,
  ]);
  t.equal(page.stdout, 'nginx heard a.b.web.example', page.stderr);
  await daemon.metricSettles('sluice_refused_total', { reason: 'no-route' }, (sum) => sum === 3);
  const lines = await eventually('seven lines', () => {
    const all = accessLines(daemon);
    return all.length < 7 ? undefined : all;
  });
  t.same(lines.map(({ pool }) => pool ?? '-').sort(), ['-', '-', '-', 'one', 'one', 'two', 'web']);
  for (const pool of ['one', 'two', 'web']) {
    await daemon.metricSettles('sluice_sessions_total', { pool, listener: 'in' }, (sum) => sum > 0);
  }
  // As libpq does since PostgreSQL 17, with `sslnegotiation=direct`: it does not ask for TLS
  // before.
  const direct = ['-servername', 'db.example', '-alpn', 'postgresql'];
  t.match((await openssl(await daemon.port('direct'), ...direct)).stdout, 'two heard db.example');
  const explained = (...args: readonly string[]) => ctl('explain', 'in', '10.0.0.1', ...args);
  t.match(
    (await explained('--server-name', 'bücher.EXAMPLE.')).stdout,
    /routes\[0\] fits, by server_name/,
  );
  t.match((await explained('--alpn', 'postgresql')).stdout, 'It goes to two/');
  t.match((await explained()).stdout, 'It is refused: no-route.');
  const both = await explained('--alpn', 'postgresql', '--user', 'u');
  t.match(both, { code: 2, stdout: /^$/, stderr: /no client says both: a server name/ });
  t.match(await ask('listeners'), { items: [{ pool: '', pools: ['one', 'web', 'two'] }] });
  t.match(await ask('explain', 'in', '10.0.0.1'), { chosen: null, backends: [] });
  const byFile = ['explain', '-c', daemon.file, 'in', '10.0.0.1', '--server-name', 'x.web.example'];
  t.match((await runToEnd(process.execPath, ['bin/sluice', ...byFile])).stdout, 'It goes to web/');
});

t.test('a hello may be cut at every byte, and come in records of five', async (t) => {
  const [named, other] = await startEchoes(t, 2);
  if (named === undefined || other === undefined) return;
  const daemon = await startDaemon(t, {
    toml:
      listenerText({ pool: 'other', name: 'in', lines: 'hello_timeout = "1m"' }) +
      routes('in', 'server_name = "db.example.org"\npool = "named"') +
      poolText({ name: 'named', backends: [named] }) +
      poolText({ name: 'other', backends: [other] }),
  });
  await daemon.backendsUp('named', 1);
  const port = await daemon.port('in');
  const names = [Buffer.from('db.example.org')];
  const hello = clientHello({ names, alpn: ['h2'] });
  const large = helloMessage({ names, before: [LARGE_KEY_SHARE] });
  // Each comes in two pieces, of which the second waits until all of the first were read.
  const cuts = Array.from({ length: hello.length - 1 }, (_, index) => [hello, index + 1] as const);
  const all = [...cuts, [records(large, 5), 2_000] as const];
  const wires = await Promise.all(
    all.map(async ([bytes, cut]) => {
      const wire = await dial(t, { port });
      await wire.send(bytes.subarray(0, cut));
      return wire;
    }),
  );
  const active = { listener: 'in' };
  await daemon.metricSettles('sluice_sessions_active', active, (sum) => sum === all.length);
  await Promise.all(
    all.map(async ([bytes, cut], index) => {
      const wire = wires[index] as Wire;
      await wire.send(bytes.subarray(cut));
      if (!(await wire.read(bytes.length)).equals(bytes)) t.fail(`cut at ${cut}`);
      wire.finish();
    }),
  );
  t.equal(named.served, all.length);
  t.equal(other.served, 0);
});

t.test('two thousand clients that say half of something hurt no other', async (t) => {
  const [echo] = await startEchoes(t, 1);
  if (echo === undefined) return;
  const hello = clientHello({ names: [Buffer.from('db.example.org')] });
  const header = Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 4711 5432\r\n');
  const request = Buffer.from('0000000804d2162f', 'hex');
  const start = Buffer.from('0000001700030000757365720070670000', 'hex');
  const route = 'routes = [{ server_name = "db.example.org", pool = "echo" }]';
  const postgres = 'postgres.strict = true';
  const proxied = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]';
  /** By listener, what it reads, and what is said there, of which more would have to come. */
  const kinds = [
    { name: 'tls', lines: route, said: [hello.subarray(0, -1)] },
    {
      name: 'start',
      lines: `${postgres}\nroutes = [{ database = "orders", pool = "echo" }]`,
      said: [request, start.subarray(0, -1)],
    },
    { name: 'asked', lines: `${postgres}\n${route}`, said: [request, hello.subarray(0, -1)] },
    {
      name: 'all',
      lines: `${proxied}\n${postgres}\n${route}`,
      said: [header, request, hello.subarray(0, 5)],
    },
  ];
  const daemon = await startDaemon(t, {
    toml:
      kinds
        .map(({ name, lines }) =>
          listenerText({ pool: 'echo', name, lines: `hello_timeout = "4s"\n${lines}` }),
        )
        .join('') + poolText({ name: 'echo', backends: [echo] }),
  });
  await daemon.backendsUp('echo', 1);
  const ports = await Promise.all(kinds.map(({ name }) => daemon.port(name)));
  const silent = Array.from({ length: 2_000 }, (_, n) => {
    const socket = createConnection({ port: ports[n % ports.length] ?? 0, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.resume();
    for (const piece of kinds[n % kinds.length]?.said ?? []) socket.write(piece);
    t.teardown(() => socket.destroy());
    return new Promise((resolve) => socket.once('close', resolve));
  });
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum > 500);
  const wire = await dial(t, { port: ports[0] ?? 0 });
  await wire.send(hello);
  t.same(await wire.read(hello.length), hello, 'another one is served meanwhile');
  await Promise.all(silent);
  for (const { name: listener } of kinds) {
    await daemon.metricSettles(
      'sluice_refused_total',
      { listener, reason: 'hello-timeout' },
      (sum) => sum === silent.length / kinds.length,
    );
  }
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 1);
});
