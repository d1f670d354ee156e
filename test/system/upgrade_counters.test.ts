/** Counters are those of the service: no sum falls when a process takes the place of another. */
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { Exposition } from '../support/exposition.js';
import { httpGet } from '../support/http_get.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce, shortConnections, tally } from '../support/load/short_connections.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import type { Upgraded } from '../support/upgrades.js';

const LONG = 10;
const BEFORE = 50;
const SHORT_PER_SECOND = 100;
const LOAD_MS = 3_000;

/** Of metrics that are counted, and not only looked at. */
const COUNTED = /_total$|_bucket$|_count$|_sum$/;
/** Of the process, which is another one. */
const OWN = /^process_/;

t.test('no counter falls, and what the old process finishes is counted', async (t) => {
  const echoes = await startEchoes(t, 2);
  const [port, quiet, admin] = [await freePort(), await freePort(), await freePort()];
  const operated = await startOperated(t, {
    workers: 2,
    admin: `127.0.0.1:${admin}`,
    toml:
      listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
      listenerText({ name: 'quiet', pool: 'echo', bind: `127.0.0.1:${quiet}` }) +
      poolText({ name: 'echo', policy: 'least-connections', backends: echoes }),
  });
  const { daemon, ask } = operated;
  await daemon.backendsUp('echo', 2);
  const scrape = async () => {
    return new Exposition((await httpGet(`http://127.0.0.1:${admin}/metrics`)).body);
  };
  for (let i = 0; i < BEFORE; i++) t.equal(await exchangeOnce({ port }), null);
  t.equal(await exchangeOnce({ port: quiet }), null);
  const long = await openStreams({ port }, LONG, 20);
  const shorts = shortConnections({ port }, SHORT_PER_SECOND, LOAD_MS);
  const before = await scrape();
  await ask<Upgraded>('upgrade');
  const after = await scrape();
  const counted = before.samples.filter(({ name }) => COUNTED.test(name) && !OWN.test(name));
  t.ok(counted.length > 100, `${counted.length} are counted`);
  const fallen = counted.filter(({ name, labels, value }) => {
    const [now] = after.select(name, labels).filter((one) => sameLabels(one.labels, labels));
    return now === undefined || now.value < value;
  });
  t.same(fallen, [], 'none has fallen, and none is missing');

  const { done, failures } = await shorts;
  t.same(tally(failures), {});
  const left = daemon.event('left');
  t.same(await finishStreams(long), []);
  await left;
  const ended = { listener: 'echo', outcome: 'finished' };
  const all = BEFORE + done + LONG;
  await eventually('every session is counted', async () => {
    const page = await scrape();
    const sums = [
      page.sum('sluice_accepted_total', { listener: 'echo' }),
      page.sum('sluice_sessions_total', ended),
    ];
    if (sums.every((sum) => sum === all)) return true;
    throw new Error(`${sums.join(', ')} of ${all}`);
  });
  const { sessions_total } = await ask<{ readonly sessions_total: number }>('status');
  t.equal(sessions_total, all + 1, 'the page says the same');
});

t.test('after two upgrades, what the first process finishes is counted', async (t) => {
  const [port, admin] = [await freePort(), await freePort()];
  const { daemon, ask } = await startOperated(t, {
    workers: 2,
    admin: `127.0.0.1:${admin}`,
    toml:
      listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
      poolText({ name: 'echo', backends: await startEchoes(t, 1) }),
  });
  await daemon.backendsUp('echo', 1);
  const long = await openStreams({ port }, LONG, 20);
  for (let i = 0; i < 2; i++) await ask<Upgraded>('upgrade');
  t.same(await finishStreams(long), []);
  await daemon.event('left', ({ pid }) => pid === daemon.pid);
  await eventually('every session is counted', async () => {
    const page = new Exposition((await httpGet(`http://127.0.0.1:${admin}/metrics`)).body);
    const sum = page.sum('sluice_sessions_total', { outcome: 'finished' });
    if (sum === LONG) return true;
    throw new Error(`${sum} of ${LONG}`);
  });
});

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) {
  return Object.keys(a).length === Object.keys(b).length;
}
