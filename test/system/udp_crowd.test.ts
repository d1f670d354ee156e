/** Ten thousand UDP flows, and what is left of them. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, UdpClient, udpClient } from '../support/load/datagrams.js';
import { listenerText, poolText } from '../support/settings.js';

t.test('10,000 flows that came and went leave nothing behind', async (t) => {
  const echoes = await startUdpEchoes(t, 2);
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'off',
    toml:
      listenerText({ pool: 'udp', protocol: 'udp', lines: 'idle_timeout = "1s"' }) +
      poolText({ name: 'udp', backends: echoes, health: 'probe = "none"' }),
  });
  const port = await daemon.port('udp');
  await (await udpClient(t, { port })).ask('first');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  const atRest = await daemon.descriptors();
  // 200 at a time fit into a receive buffer of 208 KiB, the default: each takes 768 bytes of it.
  for (let batch = 0; batch < 50; batch++) {
    // An address a batch, so that no port of an earlier flow is met again.
    const from = { port, localAddress: `127.0.1.${batch + 1}` };
    const clients = await Promise.all(Array.from({ length: 200 }, () => UdpClient.open(from)));
    const answers = await Promise.all(clients.map((client, i) => client.ask(`${batch}/${i}`)));
    const wrong = answers.filter(({ payload }, i) => payload.toString() !== `${batch}/${i}`);
    t.equal(wrong.length, 0, `batch ${batch}`);
    for (const client of clients) client.close();
    // 10,000 at once could be more than the limit of open files allows.
    if (batch % 10 === 9) {
      await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
    }
  }
  const metrics = await daemon.metrics();
  // A new client that the kernel gave a port of the last second continues that port's flow.
  const ended = metrics.sum('sluice_sessions_total', { outcome: 'idle-timeout' });
  t.ok(ended > 5_000 && ended <= 10_001, `${ended} flows`);
  t.equal(ended, metrics.sum('sluice_sessions_total'), 'all of them ended by idleness');
  t.equal(metrics.sum('sluice_datagrams_dropped_total'), 0);
  await eventually('the descriptors are back', async () =>
    (await daemon.descriptors()) <= atRest + 4 ? true : undefined,
  );
});
