/**
 * PROXY headers exchanged with HAProxy and nginx, which read and write them by code of their own.
 */
import t, { type Test } from 'tap';
import { SIGNATURE_V2 } from '../../src/session/proxy_protocol/header.js';
import { accessLine } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { haveServers } from '../support/require_server.js';
import { startHaproxy } from '../support/servers/haproxy.js';
import { startNginx } from '../support/servers/nginx.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, type Target, tryDial, type Wire } from '../support/wire.js';

/** A web server that requires a PROXY header and answers with the addresses that it named. */
const mirror = (port: number): string => `listen mirror
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return content-type text/plain lf-string "%[src]:%[src_port]>%[dst]:%[dst_port]"`;

for (const version of ['v1', 'v2'] as const) {
  t.test(`HAProxy behind sluice learns the true client from a ${version} header`, async (t) => {
    if (!haveServers(t, 'haproxy')) return;
    const port = await freePort();
    await startHaproxy(t, mirror(port));
    const daemon = await startDaemon(t, {
      access: 'all',
      toml:
        poolText({
          name: 'web',
          backends: [{ address: `127.0.0.1:${port}` }],
          lines: `send_proxy_protocol = "${version}"`,
        }) +
        listenerText({ name: 'four', pool: 'web' }) +
        listenerText({ name: 'six', pool: 'web', bind: '[::1]:0' }),
    });
    await daemon.backendsUp('web', 1);

    const four = await daemon.port('four');
    const seen = await ask(t, { port: four, localAddress: '127.0.0.7' });
    t.equal(seen.answer, `127.0.0.7:${seen.localPort}>127.0.0.1:${four}`);

    const six = await daemon.port('six');
    const seenSix = await ask(t, { port: six, host: '::1' });
    t.equal(seenSix.answer, `::1:${seenSix.localPort}>::1:${six}`);
  });
}

for (const options of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c']) {
  t.test(`behind HAProxy with ${options} the access line has the true client`, async (t) => {
    if (!haveServers(t, 'haproxy')) return;
    const [echo] = await startEchoes(t, 1);
    const daemon = await startDaemon(t, {
      access: 'all',
      toml: serviceText({ name: 'echo', backends: echo ? [echo] : [] }, TRUSTING),
    });
    await daemon.backendsUp('echo', 1);
    const front = await freePort();
    await startHaproxy(
      t,
      `listen front
  mode tcp
  bind 127.0.0.1:${front}
  server sluice 127.0.0.1:${await daemon.port('echo')} ${options}`,
    );
    await sayHello(t, front, daemon);
  });
}

t.test('behind nginx with a v1 header the access line has the true client', async (t) => {
  if (!haveServers(t, 'nginx')) return;
  const [echo] = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({ name: 'echo', backends: echo ? [echo] : [] }, TRUSTING),
  });
  await daemon.backendsUp('echo', 1);
  const front = await freePort();
  await startNginx(
    t,
    `stream {
  server {
    listen 127.0.0.1:${front};
    proxy_pass 127.0.0.1:${await daemon.port('echo')};
    proxy_protocol on;
  }
}`,
  );
  await sayHello(t, front, daemon);
});

t.test('sluice behind sluice hands the client on, in both versions', async (t) => {
  const [echo] = await startEchoes(t, 1);
  const inner = await startDaemon(t, {
    access: 'all',
    toml: serviceText({ name: 'echo', backends: echo ? [echo] : [] }, TRUSTING),
  });
  const address = `127.0.0.1:${await inner.port('echo')}`;
  for (const version of ['v1', 'v2']) {
    const outer = await startDaemon(t, {
      access: 'all',
      toml: serviceText({
        name: 'inner',
        backends: [{ address }],
        lines: `send_proxy_protocol = "${version}"`,
      }),
    });
    await outer.backendsUp('inner', 1);
    await sayHello(t, await outer.port('inner'), inner);
  }
});

t.test('a peer that is not trusted is refused, whatever it sends', async (t) => {
  const [echo] = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({ name: 'echo', backends: echo ? [echo] : [] }, TRUSTING),
  });
  const port = await daemon.port('echo');
  const stranger = await tryDial({ port, localAddress: '127.0.0.66' });
  // The reset may be there before the client knows that it is connected.
  if (typeof stranger === 'string') t.equal(stranger, 'ECONNRESET');
  else {
    await stranger.send('PROXY TCP4 127.0.0.7 127.0.0.1 1000 2000\r\nhello').catch(() => {});
    t.equal((await stranger.readAll()).text, '');
  }
  const line = await accessLine(daemon, 'the stranger', ({ client }) =>
    client.startsWith('127.0.0.66:'),
  );
  t.match(line.outcome, { by: 'sluice', stage: 'accept', cause: 'untrusted-proxy' });
  t.equal(echo?.served, 0);
});

t.test('where a header names no client the proxy is it, for lists and limits', async (t) => {
  const [echo] = await startEchoes(t, 1);
  const backends = echo ? [echo] : [];
  const trusting = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]\n';
  const listener = (name: string, lines: string): string =>
    listenerText({ name, pool: 'echo', lines: `${trusting}${lines}` });
  const daemon = await startDaemon(t, {
    access: 'all',
    toml:
      poolText({ name: 'echo', backends, health: 'probe = "none"' }) +
      listener('others', 'access.allow = ["10.0.0.0/8"]') +
      listener('proxies', 'access.allow = ["127.0.0.0/8"]\nlimits.sessions_per_client = 1'),
  });
  const headers = {
    unknown: Buffer.from('PROXY UNKNOWN\r\n'),
    unspecified: Buffer.concat([SIGNATURE_V2, Buffer.from('21000000', 'hex')]),
    local: Buffer.concat([SIGNATURE_V2, Buffer.from('20000000', 'hex')]),
  };
  for (const [index, [name, header]] of Object.entries(headers).entries()) {
    const localAddress = `127.0.0.${11 + index}`;
    const comes = async (listener: string): Promise<{ wire: Wire; client: string }> => {
      const wire = await dial(t, { port: await daemon.port(listener), localAddress });
      const client = `${localAddress}:${wire.socket.localPort}`;
      await wire.send(Buffer.concat([header, Buffer.from('x')]));
      return { wire, client };
    };
    const causeOf = async (listener: string): Promise<string> => {
      const { client } = await comes(listener);
      const line = await accessLine(daemon, client, (candidate) => candidate.client === client);
      return line.outcome.cause;
    };
    t.equal(await causeOf('others'), 'not-allowed', name);
    const { wire } = await comes('proxies');
    t.equal(await wire.readText(1), 'x', name);
    t.equal(await causeOf('proxies'), 'too-many-sessions', name);
  }
});

const TRUSTING = `accept_proxy_protocol = true
trusted_proxies = ["127.0.0.1/32"]
`;

/** One HTTP exchange; also gives the client's own port. */
async function ask(
  t: Test,
  target: Target,
): Promise<{ readonly answer: string; readonly localPort: number }> {
  const wire = await dial(t, target);
  const localPort = wire.socket.localPort ?? 0;
  await wire.send('GET / HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n');
  const { text } = await wire.readAll();
  return { answer: text.slice(text.indexOf('\r\n\r\n') + 4), localPort };
}

/** A client 127.0.0.9 exchanges a word through `port`; the daemon's access line must name it. */
async function sayHello(t: Test, port: number, daemon: Daemon): Promise<void> {
  const wire = await dial(t, { port, localAddress: '127.0.0.9' });
  const client = `127.0.0.9:${wire.socket.localPort}`;
  await wire.send('hello');
  t.equal(await wire.readText(5), 'hello');
  wire.finish();
  await wire.closed;
  const line = await accessLine(daemon, client, (candidate) => candidate.client === client);
  t.match(line, { listener: 'echo', pool: 'echo', bytes_in: 5, bytes_out: 5 });
  t.match(line.outcome, { stage: 'relay', cause: 'finished' });
}
