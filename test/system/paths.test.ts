/** What the kernel knows of connections when they end: in histograms, and on access lines. */
import t from 'tap';
import { accessLines } from '../support/access_lines.js';
import { startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { listenerText, poolText } from '../support/settings.js';

const NONE = 'probe = "none"';
const ROUND_TRIPS = 'sluice_backend_rtt_seconds';
const RETRANSMITS = 'sluice_backend_retransmits';

t.test('round trips and retransmits are shown per backend and on access lines', async (t) => {
  const backends = await startEchoes(t, 2);
  const pool = { name: 'echo', policy: 'round-robin', backends, health: NONE };
  const toml = poolText(pool) + listenerText({ pool: 'echo' });
  const adminLines = 'backend_histograms = true';
  const daemon = await startDaemon(t, { toml, adminLines, access: 'all', workers: 1 });
  const port = await daemon.port('echo');
  for (let session = 0; session < 4; session++) t.equal(await exchangeOnce({ port }), null);
  await daemon.metricSettles(`${RETRANSMITS}_count`, {}, (sum) => sum === 4);
  const page = await daemon.metrics();
  for (const { address } of backends) {
    const labels = { listener: 'echo', pool: 'echo', backend: address };
    t.equal(page.sum(`${ROUND_TRIPS}_count`, labels), 2);
    const seconds = page.sum(`${ROUND_TRIPS}_sum`, labels);
    t.ok(seconds > 0 && seconds < 2, `${seconds} s over loopback`);
    t.equal(page.sum(`${RETRANSMITS}_bucket`, { ...labels, le: '5000' }), 2);
  }

  const lines = await eventually('four lines', () => {
    const all = accessLines(daemon) as readonly object[];
    return all.length === 4 ? all : undefined;
  });
  const known = { client_rtt_ms: Number, client_retransmits: Number };
  for (const line of lines) {
    t.match(line, { ...known, backend_rtt_ms: Number, backend_retransmits: Number });
  }
});
