/** The codec against the protocol's own implementation, in both directions. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { encodeV1, encodeV2, LOCAL_V2 } from '../../../src/session/proxy_protocol/encode.js';
import type { ParsedHeader, ProxyHeader } from '../../../src/session/proxy_protocol/header.js';
import { parse } from '../../../src/session/proxy_protocol/parse.js';
import { within } from '../../support/deadline.js';
import { freePort } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { startHaproxy } from '../../support/servers/haproxy.js';

const TLVS = [
  { type: 0x02, value: Buffer.from('db.example') },
  { type: 0x03, value: new Uint8Array(4) },
];

t.test('HAProxy understands what is written', async (t) => {
  if (!haveServers(t, 'haproxy')) return;
  const port = await freePort();
  await startHaproxy(
    t,
    `frontend echo
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "<%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority]>"`,
  );
  const v4: ProxyHeader = {
    transport: 'stream',
    source: ipEndpoint(4, '192.0.2.1', 4242),
    destination: ipEndpoint(4, '192.0.2.2', 5432),
    tlvs: [],
  };
  const v6: ProxyHeader = {
    transport: 'stream',
    source: ipEndpoint(6, '2001:db8::1', 1),
    destination: ipEndpoint(6, '2001:db8::2', 2),
    tlvs: TLVS,
  };
  t.match(await ask(port, encodeV2(v4)), '<192.0.2.1 4242 192.0.2.2 5432 >');
  t.match(await ask(port, encodeV1(v4)), '<192.0.2.1 4242 192.0.2.2 5432 >');
  t.match(await ask(port, encodeV2(v6)), '<2001:db8::1 1 2001:db8::2 2 db.example>');
  t.match(await ask(port, encodeV1(v6)), '<2001:db8::1 1 2001:db8::2 2 >');
  t.match(await ask(port, LOCAL_V2), '<127.0.0.1 ');
});

t.test('what HAProxy writes is understood', async (t) => {
  if (!haveServers(t, 'haproxy')) return;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [first, second] = [await freePort(), await freePort()];
  await startHaproxy(
    t,
    `listen one
  bind 127.0.0.1:${first}
  server s ${target} send-proxy
listen two
  bind 127.0.0.1:${second}
  unique-id-format %{+X}o\\ %ci-%ts
  server s ${target} send-proxy-v2 proxy-v2-options crc32c,unique-id`,
  );
  const v1 = await headerThrough(t, server, first);
  t.match(v1.parsed, { version: 1, transport: 'stream', source: v1.client, tlvs: [] });
  const v2 = await headerThrough(t, server, second);
  t.match(v2.parsed, { version: 2, transport: 'stream', source: v2.client });
  const types = v2.parsed.kind === 'header' ? v2.parsed.tlvs.map((tlv) => tlv.type) : [];
  t.same(new Set(types), new Set([0x03, 0x05]));
});

/** HAProxy's answer to an HTTP request after `header`. */
function ask(port: number, header: Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(header);
  socket.write('GET / HTTP/1.0\r\n\r\n');
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('end', () => resolve(text)).once('error', reject);
  });
  return within('an answer of HAProxy', answer);
}

/** Connects to HAProxy at `port` and reads the header that reaches `server`. */
async function headerThrough(
  t: Test,
  server: ReturnType<typeof createServer>,
  port: number,
): Promise<{ parsed: ParsedHeader; client: unknown }> {
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connect(port, '127.0.0.1');
  t.teardown(() => client.destroy());
  client.write('payload');
  const socket = await within('the connection of HAProxy', accepted);
  t.teardown(() => socket.destroy());
  let bytes = Buffer.alloc(0);
  const complete = new Promise<ParsedHeader>((resolve) => {
    socket.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      const parsed = parse(bytes);
      if (parsed.kind !== 'need-more') resolve(parsed);
    });
  });
  const parsed = await within('a header', complete);
  return { parsed, client: ipEndpoint(4, '127.0.0.1', client.localPort ?? 0) };
}
