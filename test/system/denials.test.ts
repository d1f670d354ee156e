/** `sluice ctl deny`: clients that may come to no listener, until it ends. */
import { join } from 'node:path';
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Target, tryDial } from '../support/wire.js';

async function asks(target: Target): Promise<'answered' | 'refused'> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') return 'refused';
  const answer = await wire
    .send('x')
    .then(() => wire.read(1))
    .catch(() => null);
  wire.socket.destroy();
  return answer === null ? 'refused' : 'answered';
}

t.test('a denied client comes to no listener, over a restart, until it ends', async (t) => {
  const [echoes, datagrams] = [await startEchoes(t, 1), await startUdpEchoes(t, 1)];
  const setup = {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ name: 'plain', pool: 'echo' }) +
      listenerText({
        name: 'listed',
        pool: 'echo',
        lines: 'access.allow = ["127.0.0.7"]\naccess.dry_run = true',
      }) +
      poolText({ name: 'udp', backends: datagrams, health: 'probe = "none"' }) +
      listenerText({ pool: 'udp', protocol: 'udp' }),
    state: join(tempFolder(t), 'state'),
  };
  const first = await startOperated(t, setup);
  const { daemon, ctl } = first;
  await daemon.backendsUp('echo', 1);
  const target = async (listener: string, localAddress: string) => ({
    port: await daemon.port(listener),
    localAddress,
  });
  const denied = await ctl('deny', '127.0.0.7', '--for', '1h', '--because', 'scans');
  t.equal(denied.code, 0, denied.stderr);
  t.match(denied.stdout, /^127\.0\.0\.7: denied, until /);
  for (const listener of ['plain', 'listed']) {
    t.equal(await asks(await target(listener, '127.0.0.7')), 'refused', 'in force at once');
    t.equal(await asks(await target(listener, '127.0.0.8')), 'answered');
  }
  const client = await udpClient(t, await target('udp', '127.0.0.7'));
  client.send('hello');
  await daemon.metricSettles(
    'sluice_datagrams_dropped_total',
    { reason: 'denied' },
    (sum) => sum === 1,
  );
  t.match(await ctl('overrides'), { stdout: /127\.0\.0\.7 +denied +root .* in .* scans/ });
  const words = await ctl('deny', '127.0.0.9', '--for', 'soon');
  t.match(words, { code: 2, stderr: /^sluice: --for: expected a time such as/ });
  const never = await ctl('drain', 'plain/x', '--for', '0s');
  t.match(never, { code: 2, stderr: /^sluice: --for: expected 1ms to 366d; got "0s"/ });
  const unclear = await ctl('upgrade', '--timeout', '5');
  t.match(unclear, { code: 2, stderr: /^sluice: --timeout: expected a time such as .* got "5"/ });
  t.match(await ctl('deny', '127.0.0.300'), { code: 2, stderr: /127\.0\.0\.300/ });
  const every = await ctl('deny', '0.0.0.0/0');
  t.match(every, { code: 0, stdout: '0.0.0.0/0: denied', stderr: /every client over IPv4/ });
  t.match(await ctl('status'), { stdout: /^! root has denied all: .*ctl admit 0\.0\.0\.0\/0/m });
  t.match(await ctl('admit', '0.0.0.0/0'), { code: 0, stderr: '' });
  t.match(await ctl('admit', '127.0.0.9'), { code: 1, stderr: /127\.0\.0\.7 is/ });
  await daemon.stop();

  const second = await startOperated(t, setup);
  await second.daemon.backendsUp('echo', 1);
  const port = await second.daemon.port('plain');
  t.equal(await asks({ port, localAddress: '127.0.0.7' }), 'refused', 'it survives a restart');
  const admitted = await second.ctl('admit', '127.0.0.7');
  t.same([admitted.code, admitted.stdout], [0, '127.0.0.7: no longer denied'], admitted.stderr);
  t.equal(await asks({ port, localAddress: '127.0.0.7' }), 'answered');

  await second.ctl('deny', '127.0.0.0/29', '--for', '1s');
  t.equal(await asks({ port, localAddress: '127.0.0.6' }), 'refused');
  await second.daemon.nextEvent('override-ended');
  await eventually('it is over', async () =>
    (await asks({ port, localAddress: '127.0.0.6' })) === 'answered' ? true : undefined,
  );
});
