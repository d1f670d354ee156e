/** A name server that says nothing: what waits for it holds up nothing else. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import t, { type Test } from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { nowMs } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { inOwnNetwork } from '../support/own_network.js';
import { runToEnd } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';

if (inOwnNetwork(import.meta.url)) {
  t.test('an order is carried out while a reload waits for a silent name server', async (t) => {
    await silenceNameServers(t);
    const [echo] = await startEchoes(t, 1);
    if (echo === undefined) throw new Error('a backend is needed');
    const file = (named: string): string =>
      listenerText({ pool: 'app' }) +
      poolText({
        name: 'app',
        health: 'probe = "none"',
        backends: [
          { name: 'a', address: echo.address },
          { name: 'b', address: named },
        ],
      });
    const { daemon, socket } = await startOperated(t, { toml: file(echo.address) });
    let reload: 'under way' | 'over' = 'under way';
    const reloaded = daemon.reload(file('db.example.org:5432')).finally(() => {
      reload = 'over';
    });
    await daemon.event('reloading');
    const tookMs: number[] = [];
    for (let value = 1; reload === 'under way'; value = 1 + (value % 100)) {
      const sentMs = nowMs();
      const answer = await askControl(socket, 'POST', '/v1/weight', { backends: ['app/a'], value });
      tookMs.push(nowMs() - sentMs);
      t.equal(answer.status, 200);
    }
    t.ok(
      Math.max(...tookMs) < 1_500,
      `${tookMs.length} orders took up to ${Math.max(...tookMs)} ms`,
    );
    t.match(await reloaded, { event: 'reloaded' });
    t.match(await daemon.event('resolve-failed'), { backend: 'b', detail: /no answer within 3 s/ });
  });
}

/** Those that this machine asks are here, and answer nothing. */
async function silenceNameServers(t: Test): Promise<void> {
  const servers = readFileSync('/etc/resolv.conf', 'utf8')
    .split('\n')
    .flatMap((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter(isIPv4);
  for (const server of servers.length > 0 ? servers : ['127.0.0.1']) {
    if (!server.startsWith('127.'))
      await runToEnd('ip', ['addr', 'add', `${server}/32`, 'dev', 'lo']);
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.bind(53, server);
    await once(socket, 'listening');
  }
}
