/**
 * `[listeners.NAME.access]`: which clients may connect, by lists in the configuration and in files.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { BINARY, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort, tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { haveServers } from '../support/require_server.js';
import { startHaproxy } from '../support/servers/haproxy.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Target, tryDial } from '../support/wire.js';

/** What a client gets: an echo, or the end of its connection. */
async function asks(target: Target): Promise<string> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') return wire;
  const outcome = await wire
    .send('hello')
    .then(() => wire.read(5))
    .then(String, () => 'nothing');
  wire.socket.destroy();
  return outcome;
}

t.test(
  'access lists refuse, follow their files, and keep what a bad line would spoil',
  async (t) => {
    const folder = tempFolder(t);
    const file = join(folder, 'denied.txt');
    const put = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    put('# nobody yet\n');
    const echoes = await startEchoes(t, 1);
    const toml =
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({
        name: 'files',
        pool: 'echo',
        lines: `access.allow = ["127.0.0.0/8"]\naccess.deny_files = ["${file}"]`,
      }) +
      listenerText({
        name: 'tried',
        pool: 'echo',
        lines: 'access.deny = ["127.0.0.0/8"]\naccess.dry_run = true',
      }) +
      listenerText({
        name: 'behind',
        pool: 'echo',
        lines:
          'access.deny = ["127.0.0.7"]\naccept_proxy_protocol = true\n' +
          'trusted_proxies = ["127.0.0.1"]',
      });
    const daemon = await startDaemon(t, { toml, access: 'errors' });
    await daemon.backendsUp('echo', 1);
    const port = await daemon.port('files');
    const from = (localAddress: string) => asks({ port, localAddress });

    t.equal(await from('127.0.0.7'), 'hello');
    put('127.0.0.7  # a guest\n\n127.0.1.0/24\n');
    await daemon.nextEvent('access-list-changed');
    await eventually('the list holds', async () =>
      (await from('127.0.0.7')) === 'hello' ? undefined : true,
    );
    // Each worker has it when it knows of it.
    await eventually('all of the list holds', async () =>
      (await from('127.0.1.9')) === 'hello' ? undefined : true,
    );
    t.equal(await from('127.0.0.8'), 'hello');
    const line = await accessLine(daemon, 'the guest', ({ client }) =>
      client.startsWith('127.0.0.7'),
    );
    t.match(line, { backend: null, outcome: { by: 'sluice', stage: 'accept', cause: 'denied' } });

    put('127.0.0.8\n127.0.0.300\n');
    const kept = await daemon.nextEvent('access-list-kept');
    t.match(kept, { listener: 'files', detail: /denied\.txt:2: 127\.0\.0\.300: / });
    t.equal(await from('127.0.0.8'), 'hello');
    t.not(await from('127.0.0.7'), 'hello', 'the old list holds');
    const checked = await runToEnd(process.execPath, [BINARY, 'check', '-c', daemon.file]);
    t.match(checked, { code: 1, stderr: /listener files: .*denied\.txt:2: 127\.0\.0\.300: / });
    const refused = await daemon.reload(`${toml}\n# changed\n`.replace('["127.0.0.0/8"]', '[]'));
    t.match(refused, { event: 'reload-failed', problems: [/listener files: .*denied\.txt:2: /] });

    t.equal(await asks({ port: await daemon.port('tried') }), 'hello');
    await daemon.metricSettles(
      'sluice_would_refuse_total',
      { listener: 'tried', reason: 'denied' },
      (sum) => sum === 1,
    );
    if (!haveServers(t, 'haproxy')) return;
    const front = await freePort();
    await startHaproxy(
      t,
      `listen front
  mode tcp
  bind 127.0.0.1:${front}
  server sluice 127.0.0.1:${await daemon.port('behind')} send-proxy-v2`,
    );
    t.equal(await asks({ port: front, localAddress: '127.0.0.8' }), 'hello');
    t.not(await asks({ port: front, localAddress: '127.0.0.7' }), 'hello');
  },
);

t.test('a file of allowed clients that becomes empty allows none', async (t) => {
  const file = join(tempFolder(t), 'allowed.txt');
  writeFileSync(file, '127.0.0.0/8\n');
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ name: 'files', pool: 'echo', lines: `access.allow_files = ["${file}"]` }) +
      listenerText({ name: 'default', pool: 'echo', lines: 'access.allow = []' }),
  });
  await daemon.backendsUp('echo', 1);
  t.equal(await asks({ port: await daemon.port('default') }), 'hello', 'that is the default');
  const port = await daemon.port('files');
  t.equal(await asks({ port }), 'hello');
  for (const text of ['', '# nobody\n\n']) {
    writeFileSync(file, text);
    await daemon.nextEvent('access-list-changed');
    await eventually('the list holds', async () =>
      (await asks({ port })) === 'hello' ? undefined : true,
    );
    writeFileSync(file, '127.0.0.0/8\n');
    await daemon.nextEvent('access-list-changed');
    await eventually('the list holds', async () =>
      (await asks({ port })) === 'hello' ? true : undefined,
    );
  }
});

t.test('a datagram of a client that is denied goes nowhere and is counted', async (t) => {
  const echoes = await startUdpEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'udp', backends: echoes, health: 'probe = "none"' }) +
      listenerText({
        pool: 'udp',
        protocol: 'udp',
        lines: 'access.deny = ["127.0.0.7"]',
      }),
  });
  const port = await daemon.port('udp');
  const denied = await udpClient(t, { port, localAddress: '127.0.0.7' });
  denied.send('hello');
  await daemon.metricSettles(
    'sluice_datagrams_dropped_total',
    { reason: 'denied' },
    (sum) => sum === 1,
  );
  const allowed = await udpClient(t, { port, localAddress: '127.0.0.8' });
  t.equal(String((await allowed.ask('hello')).payload), 'hello');
});
