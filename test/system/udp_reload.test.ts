/** Reload under UDP load: flows of unchanged listeners and backends go on. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { atRate } from '../support/deadline.js';
import {
  DatagramLedger,
  startUdpEchoes,
  type UdpEcho,
  udpClients,
} from '../support/load/datagrams.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { listenerText, poolText } from '../support/settings.js';

const STORM_MS = 10_000;
const RELOADS = 200;
const FLOWS = 50;
const DATAGRAMS_PER_SECOND = 5_000;

t.test('200 reloads under 5,000 datagrams per second lose or misdirect none', async (t) => {
  const echoes = await startUdpEchoes(t, 4, 'tagged');
  const three = service(echoes.slice(0, 3), '');
  const four = service(echoes, 'drain_timeout = "4m"');
  const invalid = three.replace('policy', 'polizy');
  const daemon = await startDaemon(t, { toml: three, workers: 2, access: 'off' });
  const clients = await udpClients(t, { port: await daemon.port('udp') }, FLOWS);
  const ledgers = await Promise.all(clients.map(DatagramLedger.open));

  const sending = atRate(DATAGRAMS_PER_SECOND, STORM_MS, (index) => {
    ledgers[index % FLOWS]?.send();
  });
  await reloadStorm(daemon, [four, invalid, three], RELOADS, STORM_MS);
  await sending;
  for (const ledger of ledgers) await ledger.settled();
  t.same(
    ledgers.flatMap((ledger) => ledger.wrong),
    [],
    'every answer is right and from the same backend',
  );
  t.equal((await daemon.metrics()).sum('sluice_datagrams_dropped_total'), 0);
});

function service(echoes: readonly UdpEcho[], lines: string): string {
  return (
    listenerText({ pool: 'udp', protocol: 'udp', lines: 'idle_timeout = "30s"' }) +
    poolText({ name: 'udp', backends: echoes, health: 'probe = "none"', lines })
  );
}
