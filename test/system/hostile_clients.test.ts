/** Clients that send nothing, the wrong thing, or too slowly harm none but themselves. */
import t, { type Test } from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

const V2_SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

t.test('clients that withhold or spoil the PROXY header end alone', async (t) => {
  const echoes = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ name: 'open', pool: 'echo' }) +
      listenerText({
        name: 'strict',
        pool: 'echo',
        lines: 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]',
      }),
  });
  await daemon.backendsUp('echo', 2);
  const strict = await daemon.port('strict');
  const others = shortConnections({ port: await daemon.port('open') }, 50, 5_000);

  t.test('a client that sends nothing is closed after 3 s', async (t) => {
    const silent = await dial(t, { port: strict });
    await closedAfter3Seconds(t, silent, 'proxy-header-timeout');
  });

  t.test('a client that sends one byte per second is closed after 3 s all the same', async (t) => {
    const slow = await dial(t, { port: strict });
    const header = Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n');
    const trickle = (async () => {
      for (let i = 0; i < 10 && !slow.socket.destroyed; i++) {
        await slow.send(header.subarray(i, i + 1)).catch(() => {});
        await Promise.race([pass(1_000), slow.closed]);
      }
    })();
    await closedAfter3Seconds(t, slow, 'proxy-header-timeout');
    slow.socket.destroy();
    await trickle;
  });

  const garbage: Readonly<Record<string, string>> = {
    'plain HTTP': 'GET / HTTP/1.1\r\n\r\n',
    'a v1 header of an unknown family': 'PROXY TCP5 10.0.0.1 10.0.0.2 1 2\r\n',
    'a v1 header with a bad port': 'PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n',
    'a v1 header without an end': `PROXY TCP4 ${'1'.repeat(200)}`,
    'a v2 header of version 3': `${V2_SIGNATURE}\x31\x11\x00\x0c${'\0'.repeat(12)}`,
    'a v2 header with command 2': `${V2_SIGNATURE}\x22\x11\x00\x0c${'\0'.repeat(12)}`,
    'a v2 header that is too short for its family': `${V2_SIGNATURE}\x21\x21\x00\x0c${'\0'.repeat(12)}`,
    'a v2 header whose TLV overruns it': `${V2_SIGNATURE}\x21\x11\x00\x10${'\0'.repeat(12)}\x04\x00\x09\x00`,
    'a v2 header with a wrong CRC32C': `${V2_SIGNATURE}\x21\x11\x00\x13${'\0'.repeat(12)}\x03\x00\x04abcd`,
    'random bytes': '\x00\xff\x80\x13\x37'.repeat(40),
  };
  for (const [what, bytes] of Object.entries(garbage)) {
    t.test(`${what} is refused at once`, async (t) => {
      const wire = await dial(t, { port: strict });
      const client = `127.0.0.1:${wire.socket.localPort}`;
      const beganMs = nowMs();
      await wire.send(Buffer.from(bytes, 'latin1'));
      t.equal((await wire.readAll()).text, '');
      t.ok(nowMs() - beganMs < 1_500, 'at once');
      const line = await accessLine(daemon, what, (candidate) => candidate.client === client);
      t.match(line.outcome, { by: 'sluice', stage: 'accept', cause: 'bad-proxy-header' });
    });
  }

  t.test('meanwhile every other client is served', async (t) => {
    t.same(tally((await others).failures), {});
    const metrics = await daemon.metrics();
    const refused = (reason: string): number => metrics.sum('sluice_refused_total', { reason });
    t.equal(refused('bad-proxy-header'), Object.keys(garbage).length);
    t.equal(refused('proxy-header-timeout'), 2);
  });

  async function closedAfter3Seconds(t: Test, wire: Wire, cause: string): Promise<void> {
    const client = `127.0.0.1:${wire.socket.localPort}`;
    const beganMs = nowMs();
    t.equal((await wire.readAll()).text, '');
    const tookMs = nowMs() - beganMs;
    t.ok(tookMs > 2_700 && tookMs < 4_500, `closed after ${Math.round(tookMs)} ms`);
    const line = await accessLine(daemon, client, (candidate) => candidate.client === client);
    t.match(line.outcome, { by: 'sluice', stage: 'accept', cause });
  }
});

t.test('a client that sends nothing keeps its session until the idle timeout', async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ pool: 'echo', lines: 'idle_timeout = "1500ms"' }),
  });
  await daemon.backendsUp('echo', 1);
  const silent = await dial(t, { port: await daemon.port('echo') });
  const beganMs = nowMs();
  await silent.readAll();
  const tookMs = nowMs() - beganMs;
  t.ok(tookMs > 1_300 && tookMs < 3_000, `closed after ${Math.round(tookMs)} ms`);
  silent.finish();
  const line = await accessLine(daemon, 'the silent client', () => true);
  t.match(line.outcome, { by: 'sluice', cause: 'idle-timeout' });
});
